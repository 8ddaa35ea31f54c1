# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.estimator.experimental`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.estimator.canned.dnn import (
    dnn_logit_fn_builder,
)
from relight.v1.estimator.canned.linear import (
    linear_logit_fn_builder,
)
from relight.v1.estimator.export.receivers import (
    build_raw_supervised_input_receiver_fn,
)
from relight.v1.estimator.model_fn import (
    call_logit_fn,
)

__getattr__ = missing("tf.estimator.experimental")

__all__ = [
    "build_raw_supervised_input_receiver_fn", "call_logit_fn", "dnn_logit_fn_builder",
    "linear_logit_fn_builder",
]
