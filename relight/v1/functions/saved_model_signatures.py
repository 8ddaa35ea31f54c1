"""Names of the SavedModel format, and signatures: which tensors a model takes and gives."""

from __future__ import annotations

from typing import Any

from tensorboard.compat.proto import meta_graph_pb2

from relight.graph import dtypes, errors
from relight.graph.composite import SparseTensor
from relight.graph.export import export
from relight.graph.graph import Graph, get_default_graph
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape
from relight.v1.functions.variables import prepend_scope

ASSETS_DIRECTORY = export("saved_model.ASSETS_DIRECTORY", "saved_model.constants.ASSETS_DIRECTORY")(
    "assets"
)
ASSETS_KEY = export("saved_model.ASSETS_KEY", "saved_model.constants.ASSETS_KEY")(
    "saved_model_assets"
)
LEGACY_INIT_OP_KEY = export(
    "saved_model.LEGACY_INIT_OP_KEY", "saved_model.constants.LEGACY_INIT_OP_KEY"
)("legacy_init_op")
MAIN_OP_KEY = export("saved_model.MAIN_OP_KEY", "saved_model.constants.MAIN_OP_KEY")(
    "saved_model_main_op"
)
SAVED_MODEL_SCHEMA_VERSION = export(
    "saved_model.SAVED_MODEL_SCHEMA_VERSION", "saved_model.constants.SAVED_MODEL_SCHEMA_VERSION"
)(1)
SAVED_MODEL_FILENAME_PB = export(
    "saved_model.SAVED_MODEL_FILENAME_PB", "saved_model.constants.SAVED_MODEL_FILENAME_PB"
)("saved_model.pb")
SAVED_MODEL_FILENAME_PBTXT = export(
    "saved_model.SAVED_MODEL_FILENAME_PBTXT", "saved_model.constants.SAVED_MODEL_FILENAME_PBTXT"
)("saved_model.pbtxt")
VARIABLES_DIRECTORY = export(
    "saved_model.VARIABLES_DIRECTORY", "saved_model.constants.VARIABLES_DIRECTORY"
)("variables")
VARIABLES_FILENAME = export(
    "saved_model.VARIABLES_FILENAME", "saved_model.constants.VARIABLES_FILENAME"
)("variables")
TRAIN_OP_KEY = "saved_model_train_op"
INIT_OP_SIGNATURE_KEY = "__saved_model_init_op"
TRAIN_OP_SIGNATURE_KEY = "__saved_model_train_op"

SERVING = export("saved_model.SERVING", "saved_model.tag_constants.SERVING")("serve")
TRAINING = export("saved_model.TRAINING", "saved_model.tag_constants.TRAINING")("train")
EVAL = "eval"
GPU = export("saved_model.GPU", "saved_model.tag_constants.GPU")("gpu")
TPU = export("saved_model.TPU", "saved_model.tag_constants.TPU")("tpu")

DEFAULT_SERVING_SIGNATURE_DEF_KEY = export(
    "saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY",
    "saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY",
)("serving_default")
CLASSIFY_INPUTS = export(
    "saved_model.CLASSIFY_INPUTS", "saved_model.signature_constants.CLASSIFY_INPUTS"
)("inputs")
CLASSIFY_METHOD_NAME = export(
    "saved_model.CLASSIFY_METHOD_NAME", "saved_model.signature_constants.CLASSIFY_METHOD_NAME"
)("tensorflow/serving/classify")
CLASSIFY_OUTPUT_CLASSES = export(
    "saved_model.CLASSIFY_OUTPUT_CLASSES",
    "saved_model.signature_constants.CLASSIFY_OUTPUT_CLASSES",
)("classes")
CLASSIFY_OUTPUT_SCORES = export(
    "saved_model.CLASSIFY_OUTPUT_SCORES", "saved_model.signature_constants.CLASSIFY_OUTPUT_SCORES"
)("scores")
PREDICT_INPUTS = export(
    "saved_model.PREDICT_INPUTS", "saved_model.signature_constants.PREDICT_INPUTS"
)("inputs")
PREDICT_METHOD_NAME = export(
    "saved_model.PREDICT_METHOD_NAME", "saved_model.signature_constants.PREDICT_METHOD_NAME"
)("tensorflow/serving/predict")
PREDICT_OUTPUTS = export(
    "saved_model.PREDICT_OUTPUTS", "saved_model.signature_constants.PREDICT_OUTPUTS"
)("outputs")
REGRESS_INPUTS = export(
    "saved_model.REGRESS_INPUTS", "saved_model.signature_constants.REGRESS_INPUTS"
)("inputs")
REGRESS_METHOD_NAME = export(
    "saved_model.REGRESS_METHOD_NAME", "saved_model.signature_constants.REGRESS_METHOD_NAME"
)("tensorflow/serving/regress")
REGRESS_OUTPUTS = export(
    "saved_model.REGRESS_OUTPUTS", "saved_model.signature_constants.REGRESS_OUTPUTS"
)("outputs")
SUPERVISED_TRAIN_METHOD_NAME = "tensorflow/supervised/training"
SUPERVISED_EVAL_METHOD_NAME = "tensorflow/supervised/eval"
_STRING, _FLOAT = dtypes.string.as_datatype_enum, dtypes.float32.as_datatype_enum


@export("saved_model.build_tensor_info", "saved_model.utils.build_tensor_info")
def build_tensor_info(tensor: Any) -> Any:
    """A tensor (or SparseTensor) as TensorInfo: name, type and static shape."""
    info = meta_graph_pb2.TensorInfo(
        dtype=dtypes.as_dtype(tensor.dtype).as_datatype_enum,
        tensor_shape=tensor.get_shape().as_proto(),
    )
    if isinstance(tensor, SparseTensor):
        info.coo_sparse.values_tensor_name = tensor.values.name
        info.coo_sparse.indices_tensor_name = tensor.indices.name
        info.coo_sparse.dense_shape_tensor_name = tensor.dense_shape.name
    else:
        info.name = tensor.name
    return info


def build_tensor_info_from_op(op: Any) -> Any:
    """An operation as TensorInfo."""
    return meta_graph_pb2.TensorInfo(tensor_shape=TensorShape(None).as_proto(), name=op.name)


@export("saved_model.get_tensor_from_tensor_info", "saved_model.utils.get_tensor_from_tensor_info")
def get_tensor_from_tensor_info(
    tensor_info: Any, graph: Graph | None = None, import_scope: str | None = None
) -> Any:
    """The tensor of a graph that a TensorInfo names. KeyError when it is not there."""
    graph = graph or get_default_graph()

    def tensor(name: str) -> Tensor:
        return graph.get_tensor_by_name(prepend_scope(name, import_scope))

    encoding = tensor_info.WhichOneof("encoding")
    if encoding == "name":
        return tensor(tensor_info.name)
    if encoding == "coo_sparse":
        sparse = tensor_info.coo_sparse
        return SparseTensor(
            tensor(sparse.indices_tensor_name),
            tensor(sparse.values_tensor_name),
            tensor(sparse.dense_shape_tensor_name),
        )
    raise ValueError(f"Invalid TensorInfo.encoding: {encoding}")


@export("saved_model.build_signature_def", "saved_model.signature_def_utils.build_signature_def")
def build_signature_def(
    inputs: dict[str, Any] | None = None,
    outputs: dict[str, Any] | None = None,
    method_name: str | None = None,
) -> Any:
    """A SignatureDef of TensorInfos by name."""
    signature = meta_graph_pb2.SignatureDef()
    for target, given in ((signature.inputs, inputs), (signature.outputs, outputs)):
        for key in given or ():
            target[key].CopyFrom(given[key])  # type: ignore[index]
    if method_name is not None:
        signature.method_name = method_name
    return signature


def _string_input(examples: Any, what: str) -> Any:
    if examples is None:
        raise ValueError(f"{what} examples cannot be None.")
    if not isinstance(examples, Tensor):
        raise ValueError(f"{what} examples must be a string Tensor.")
    info = build_tensor_info(examples)
    if info.dtype != _STRING:
        raise ValueError(f"{what} examples must be a string Tensor.")
    return info


@export(
    "saved_model.regression_signature_def",
    "saved_model.signature_def_utils.regression_signature_def",
)
def regression_signature_def(examples: Any, predictions: Any) -> Any:
    """The signature of a regression: serialized Examples to float predictions."""
    inputs = {REGRESS_INPUTS: _string_input(examples, "Regression")}
    if predictions is None:
        raise ValueError("Regression predictions cannot be None.")
    info = build_tensor_info(predictions)
    if info.dtype != _FLOAT:
        raise ValueError("Regression output must be a float Tensor.")
    return build_signature_def(inputs, {REGRESS_OUTPUTS: info}, REGRESS_METHOD_NAME)


@export(
    "saved_model.classification_signature_def",
    "saved_model.signature_def_utils.classification_signature_def",
)
def classification_signature_def(examples: Any, classes: Any, scores: Any) -> Any:
    """The signature of a classification: serialized Examples to string classes, float scores."""
    inputs = {CLASSIFY_INPUTS: _string_input(examples, "Classification")}
    if classes is None and scores is None:
        raise ValueError("Classification classes and scores cannot both be None.")
    outputs = {}
    if classes is not None:
        outputs[CLASSIFY_OUTPUT_CLASSES] = build_tensor_info(classes)
        if outputs[CLASSIFY_OUTPUT_CLASSES].dtype != _STRING:
            raise ValueError("Classification classes must be a string Tensor.")
    if scores is not None:
        outputs[CLASSIFY_OUTPUT_SCORES] = build_tensor_info(scores)
        if outputs[CLASSIFY_OUTPUT_SCORES].dtype != _FLOAT:
            raise ValueError("Classification scores must be a float Tensor.")
    return build_signature_def(inputs, outputs, CLASSIFY_METHOD_NAME)


@export(
    "saved_model.predict_signature_def", "saved_model.signature_def_utils.predict_signature_def"
)
def predict_signature_def(inputs: dict[str, Any], outputs: dict[str, Any]) -> Any:
    """The signature of a prediction: any tensors by name to any tensors by name."""
    if not inputs:
        raise ValueError("Prediction inputs cannot be None or empty.")
    if not outputs:
        raise ValueError("Prediction outputs cannot be None or empty.")
    return build_signature_def(
        {k: build_tensor_info(t) for k, t in inputs.items()},
        {k: build_tensor_info(t) for k, t in outputs.items()},
        PREDICT_METHOD_NAME,
    )


def supervised_signature_def(
    method_name: str, inputs: dict[str, Any], loss: Any = None, predictions: Any = None,
    metrics: Any = None,
) -> Any:  # fmt: skip
    """The signature of training or evaluation."""
    if not inputs:
        raise ValueError(f"{method_name} inputs cannot be None or empty.")
    outputs: dict[str, Any] = {}
    for group in (loss, predictions, metrics):
        outputs.update({k: build_tensor_info(t) for k, t in (group or {}).items()})
    return build_signature_def(
        {k: build_tensor_info(t) for k, t in inputs.items()}, outputs, method_name
    )


@export("saved_model.is_valid_signature", "saved_model.signature_def_utils.is_valid_signature")
def is_valid_signature(signature_def: Any) -> bool:
    """Whether a server can use a SignatureDef."""
    if signature_def is None:
        return False
    inputs, outputs = signature_def.inputs, signature_def.outputs
    if signature_def.method_name == PREDICT_METHOD_NAME:
        return bool(inputs) and bool(outputs)
    kinds = {k: outputs[k].dtype for k in outputs}
    if signature_def.method_name == REGRESS_METHOD_NAME:
        return _takes_strings(inputs, REGRESS_INPUTS) and kinds == {REGRESS_OUTPUTS: _FLOAT}
    if signature_def.method_name == CLASSIFY_METHOD_NAME:
        allowed = {CLASSIFY_OUTPUT_CLASSES: _STRING, CLASSIFY_OUTPUT_SCORES: _FLOAT}
        return (
            _takes_strings(inputs, CLASSIFY_INPUTS)
            and bool(kinds)
            and all(allowed.get(k) == kind for k, kind in kinds.items())
        )
    return False


def _takes_strings(inputs: Any, name: str) -> bool:
    return set(inputs) == {name} and inputs[name].dtype == _STRING


def op_signature_def(op: Any, key: str) -> Any:
    """A signature that holds an operation."""
    return build_signature_def(outputs={key: build_tensor_info_from_op(op)})


def load_op_from_signature_def(signature_def: Any, key: str, import_scope: Any = None) -> Any:
    """The operation that a signature holds. NotFoundError when the graph has none."""
    name = prepend_scope(signature_def.outputs[key].name, import_scope)
    try:
        return get_default_graph().as_graph_element(name)
    except KeyError:
        raise errors.NotFoundError(
            None, None, f"The {key} could not be found in the graph: there is no {name!r}."
        ) from None
