"""Writing an Estimator's model as a SavedModel."""

from __future__ import annotations

import os
import shutil
import time
from typing import Any

from relight.engine.session import Session
from relight.graph import errors
from relight.graph.collections import GraphKeys
from relight.graph.graph import Graph, get_default_graph
from relight.ops.files import told
from relight.v1 import logging
from relight.v1.estimator.export.outputs import SupervisedOutput, with_default_output
from relight.v1.estimator.mode_keys import ModeKeys
from relight.v1.functions import saved_model_signatures as signatures
from relight.v1.functions.framework import set_random_seed
from relight.v1.functions.saved_model_builder import SavedModelBuilder
from relight.v1.train.saver import Saver
from relight.v1.train.scaffold import Scaffold

_ATTEMPTS = 10
_TAGS = {
    ModeKeys.TRAIN: [signatures.TRAINING],
    ModeKeys.EVAL: [signatures.EVAL],
    ModeKeys.PREDICT: [signatures.SERVING],
}
_METHODS = {  # how the log names methods, in this order
    signatures.CLASSIFY_METHOD_NAME: "Classify",
    signatures.REGRESS_METHOD_NAME: "Regress",
    signatures.PREDICT_METHOD_NAME: "Predict",
    signatures.SUPERVISED_TRAIN_METHOD_NAME: "Train",
    signatures.SUPERVISED_EVAL_METHOD_NAME: "Eval",
}


def _new_directory(base: str) -> str:
    """`base`/<seconds since 1970>, which does not exist yet. RuntimeError after ten tries."""
    for attempt in range(1, _ATTEMPTS + 1):
        path = os.path.join(base, str(int(time.time())))
        if not os.path.exists(path):
            return path
        time.sleep(1)
        logging.warning(
            "Directory %s already exists; retrying (attempt %d/%d)", path, attempt, _ATTEMPTS
        )
    raise RuntimeError(
        f"Failed to obtain a unique export directory name after {_ATTEMPTS} attempts."
    )


def export_all(
    estimator: Any,
    export_dir_base: Any,
    receivers: dict[str, Any],
    assets_extra: dict[str, str] | None,
    as_text: bool,
    checkpoint_path: str | None,
    strip_default_attrs: bool,
) -> bytes:
    """Write a SavedModel with a graph for each mode that has a receiver; its directory.

    It is written under another name and renamed when it is whole.
    """
    checkpoint_path = checkpoint_path or estimator.latest_checkpoint()
    if not checkpoint_path:
        raise ValueError(f"Couldn't find trained model at {estimator.model_dir}.")
    target = _new_directory(os.fsdecode(export_dir_base))
    temporary = os.path.join(os.path.dirname(target), "temp-" + os.path.basename(target))
    builder = SavedModelBuilder(temporary)
    modes = [m for m in (ModeKeys.TRAIN, ModeKeys.EVAL, ModeKeys.PREDICT) if receivers.get(m)]
    if not modes:
        raise ValueError(f"No valid modes for exporting found. Got {receivers.keys()}.")
    for i, mode in enumerate(modes):
        with Graph().as_default():
            _add_graph(
                estimator, builder, receivers[mode], checkpoint_path, mode, i == 0,
                strip_default_attrs,
            )  # fmt: skip
    builder.save(as_text)
    for name, source in (assets_extra or {}).items():
        place = os.path.join(temporary, "assets.extra", os.fsdecode(name))
        with told(place):
            os.makedirs(os.path.dirname(place), exist_ok=True)
            shutil.copyfile(source, place)
    with told(target):
        os.rename(temporary, target)
    return os.fsencode(target)


def _add_graph(
    estimator: Any, builder: Any, receiver_fn: Any, checkpoint_path: str, mode: str, first: bool,
    strip_default_attrs: bool,
) -> None:  # fmt: skip
    graph = get_default_graph()
    estimator._create_and_assert_global_step(graph)
    set_random_seed(estimator.config.tf_random_seed)
    receiver = receiver_fn()
    spec = estimator._call_model_fn(
        receiver.features, getattr(receiver, "labels", None), mode, estimator.config
    )
    outputs = _outputs(spec, mode)
    alternatives = getattr(receiver, "receiver_tensors_alternatives", None)
    found = _signatures(receiver.receiver_tensors, outputs, alternatives, mode)
    with Session(config=estimator.config.session_config) as session:
        local_init_op = spec.scaffold.local_init_op
        if local_init_op is None:
            local_init_op = Scaffold.default_local_init_op()
        saver = spec.scaffold.saver or Saver(sharded=True)
        try:
            saver.restore(session, checkpoint_path)
        except errors.NotFoundError as error:
            raise ValueError(
                "Could not load all requested variables from checkpoint. Please make sure your "
                "model_fn does not expect variables that were not saved in the checkpoint.\n\n"
                f"Encountered error with mode `{mode}` while restoring checkpoint from: "
                f"`{checkpoint_path}`. Full Traceback:\n\n{error}"
            ) from error
        if spec.train_op is not None:
            graph.add_to_collection(signatures.TRAIN_OP_KEY, spec.train_op)
        given = {
            "tags": _TAGS[mode],
            "signature_def_map": found,
            "assets_collection": graph.get_collection(GraphKeys.ASSET_FILEPATHS),
            "main_op": local_init_op,
            "saver": saver,
            "strip_default_attrs": strip_default_attrs,
        }
        if first:
            builder.add_meta_graph_and_variables(session, **given)
        else:
            builder.add_meta_graph(**given)


def _outputs(spec: Any, mode: str) -> dict[str, Any]:
    if mode == ModeKeys.PREDICT:
        return with_default_output(spec.export_outputs, spec.predictions)
    key, method = {
        ModeKeys.TRAIN: ("train", signatures.SUPERVISED_TRAIN_METHOD_NAME),
        ModeKeys.EVAL: ("eval", signatures.SUPERVISED_EVAL_METHOD_NAME),
    }[mode]
    return {key: SupervisedOutput(method, spec.loss, spec.predictions, spec.eval_metric_ops)}


def _signatures(
    receiver_tensors: dict[str, Any], outputs: dict[str, Any], alternatives: Any, mode: str
) -> dict[str, Any]:
    """{name: SignatureDef} of each output that can be served, which is logged."""
    found: dict[str, Any] = {}
    excluded: dict[str, str] = {}
    groups = [("", receiver_tensors)]
    groups += [(f"{name or 'None'}:", tensors) for name, tensors in (alternatives or {}).items()]
    for prefix, tensors in groups:
        for key, output in outputs.items():
            name = f"{prefix}{key or 'None'}"
            try:
                found[name] = output.as_signature_def(tensors)
            except ValueError as error:
                excluded[name] = str(error)
    _log_signatures(found, excluded)
    if mode == ModeKeys.PREDICT:
        found = {k: v for k, v in found.items() if signatures.is_valid_signature(v)}
    return found


def _log_signatures(found: dict[str, Any], excluded: dict[str, str]) -> None:
    for method, friendly in _METHODS.items():
        names = [name for name, s in found.items() if s.method_name == method]
        logging.info("Signatures INCLUDED in export for %s: %s", friendly, names or "None")
    if excluded:
        logging.info(
            "Signatures EXCLUDED from export because they cannot be be served via TensorFlow "
            "Serving APIs:"
        )
        for name, reason in excluded.items():
            logging.info("'%s' : %s", name, reason)
    if not found:
        logging.warning("Export includes no signatures!")
    elif signatures.DEFAULT_SERVING_SIGNATURE_DEF_KEY not in found:
        logging.warning("Export includes no default signature!")
