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
from relight.v1.estimator.early_stopping import (
    make_early_stopping_hook, stop_if_higher_hook, stop_if_lower_hook, stop_if_no_decrease_hook,
    stop_if_no_increase_hook,
)
from relight.v1.estimator.export.receivers import (
    build_raw_supervised_input_receiver_fn,
)
from relight.v1.estimator.hooks import (
    InMemoryEvaluatorHook, make_stop_at_checkpoint_step_hook,
)
from relight.v1.estimator.model_fn import (
    call_logit_fn,
)

__getattr__ = missing("tf.estimator.experimental")

__all__ = [
    "InMemoryEvaluatorHook", "build_raw_supervised_input_receiver_fn", "call_logit_fn",
    "dnn_logit_fn_builder", "linear_logit_fn_builder", "make_early_stopping_hook",
    "make_stop_at_checkpoint_step_hook", "stop_if_higher_hook", "stop_if_lower_hook",
    "stop_if_no_decrease_hook", "stop_if_no_increase_hook",
]
