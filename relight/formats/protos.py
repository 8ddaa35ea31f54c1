"""Protocol messages of TensorFlow 1 that the package tensorboard does not have.

They are declared here as tables of fields and built when this module is imported. Messages that
stand alone are `tensorflow.Example` and so on, in a pool of their own; those that hold messages of
tensorboard's (ServerDef, SavedModel) live beside them, in package `tensorboard`.

Sources of names and numbers: tensorflow/core/example/{feature,example}.proto,
python/training/checkpoint_state.proto, core/framework/device_attributes.proto,
core/protobuf/{queue_runner,tensorflow_server,saved_model}.proto.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from tensorboard.compat.proto import cluster_pb2, config_pb2, meta_graph_pb2

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bytes": _Field.TYPE_BYTES,
    "string": _Field.TYPE_STRING,
    "float": _Field.TYPE_FLOAT,
    "double": _Field.TYPE_DOUBLE,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "fixed64": _Field.TYPE_FIXED64,
}

# message -> {field: (number, type)}; "*" marks a repeated field, "map:T" a map from string to T,
# "one:T" a member of the message's only oneof, "enum:T" an enum.
_Fields = dict[str, tuple[int, str]]
_EXAMPLE: dict[str, _Fields] = {
    "BytesList": {"value": (1, "*bytes")},
    "FloatList": {"value": (1, "*float")},
    "Int64List": {"value": (1, "*int64")},
    "Feature": {
        "bytes_list": (1, "one:BytesList"),
        "float_list": (2, "one:FloatList"),
        "int64_list": (3, "one:Int64List"),
    },
    "Features": {"feature": (1, "map:Feature")},
    "FeatureList": {"feature": (1, "*Feature")},
    "FeatureLists": {"feature_list": (1, "map:FeatureList")},
    "Example": {"features": (1, "Features")},
    "SequenceExample": {"context": (1, "Features"), "feature_lists": (2, "FeatureLists")},
}
_CHECKPOINT: dict[str, _Fields] = {
    "CheckpointState": {
        "model_checkpoint_path": (1, "string"),
        "all_model_checkpoint_paths": (2, "*string"),
        "all_model_checkpoint_timestamps": (3, "*double"),
        "last_preserved_timestamp": (4, "double"),
    },
}
_QUEUE_RUNNER: dict[str, _Fields] = {
    "QueueRunnerDef": {
        "queue_name": (1, "string"),
        "enqueue_op_name": (2, "*string"),
        "close_op_name": (3, "string"),
        "cancel_op_name": (4, "string"),
        "queue_closed_exception_types": (5, "*enum:error.Code"),
    },
}
_SERVER: dict[str, _Fields] = {
    "ServerDef": {
        "cluster": (1, "ClusterDef"),
        "job_name": (2, "string"),
        "task_index": (3, "int32"),
        "default_session_config": (4, "ConfigProto"),
        "protocol": (5, "string"),
    },
}
_SAVED_MODEL: dict[str, _Fields] = {
    "SavedModel": {"saved_model_schema_version": (1, "int64"), "meta_graphs": (2, "*MetaGraphDef")},
}
_DEVICE: dict[str, _Fields] = {
    "InterconnectLink": {
        "device_id": (1, "int32"),
        "type": (2, "string"),
        "strength": (3, "int32"),
    },
    "LocalLinks": {"link": (1, "*InterconnectLink")},
    "DeviceLocality": {
        "bus_id": (1, "int32"),
        "numa_node": (2, "int32"),
        "links": (3, "LocalLinks"),
    },
    "DeviceAttributes": {
        "name": (1, "string"),
        "device_type": (2, "string"),
        "memory_limit": (4, "int64"),
        "locality": (5, "DeviceLocality"),
        "incarnation": (6, "fixed64"),
        "physical_device_desc": (7, "string"),
    },
}
_CODES = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
]


def _message(name: str, fields: _Fields, package: str) -> descriptor_pb2.DescriptorProto:
    message = descriptor_pb2.DescriptorProto(name=name)
    for field_name, (number, kind) in fields.items():
        field = message.field.add(name=field_name, number=number)
        if kind.startswith("*"):
            field.label, kind = _Field.LABEL_REPEATED, kind[1:]
        else:
            field.label = _Field.LABEL_OPTIONAL
        if kind.startswith("one:"):
            if not message.oneof_decl:
                message.oneof_decl.add(name="kind")
            field.oneof_index, kind = 0, kind[4:]
        if kind.startswith("enum:"):
            field.type, field.type_name = _Field.TYPE_ENUM, f".{package}.{kind[5:]}"
        elif kind.startswith("map:"):
            entry = message.nested_type.add(name=_camel(field_name) + "Entry")
            entry.options.map_entry = True
            entry.field.add(
                name="key", number=1, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_STRING
            )
            entry.field.add(
                name="value",
                number=2,
                label=_Field.LABEL_OPTIONAL,
                type=_Field.TYPE_MESSAGE,
                type_name=f".{package}.{kind[4:]}",
            )
            field.label, field.type = _Field.LABEL_REPEATED, _Field.TYPE_MESSAGE
            field.type_name = f".{package}.{name}.{entry.name}"
        elif kind in _SCALARS:
            field.type = _SCALARS[kind]
        else:
            field.type, field.type_name = _Field.TYPE_MESSAGE, f".{package}.{kind}"
    return message


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _build(
    pool: Any,
    package: str,
    file_name: str,
    messages: dict[str, _Fields],
    dependencies: tuple[str, ...] = (),
) -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name=file_name, package=package, syntax="proto3", dependency=dependencies
    )
    file.message_type.extend(_message(n, f, package) for n, f in messages.items())
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in messages
    }


_own = descriptor_pool.DescriptorPool()
_codes = descriptor_pb2.FileDescriptorProto(
    name="tensorflow/core/lib/core/error_codes.proto", package="tensorflow.error", syntax="proto3"
)
_enum = _codes.enum_type.add(name="Code")
for _number, _code in enumerate(_CODES):
    _enum.value.add(name=_code, number=_number)
_own.Add(_codes)

_classes = {
    **_build(_own, "tensorflow", "tensorflow/core/example/example.proto", _EXAMPLE),
    **_build(_own, "tensorflow", "tensorflow/python/training/checkpoint_state.proto", _CHECKPOINT),
    **_build(_own, "tensorflow", "tensorflow/core/framework/device_attributes.proto", _DEVICE),
    **_build(
        _own,
        "tensorflow",
        "tensorflow/core/protobuf/queue_runner.proto",
        _QUEUE_RUNNER,
        ("tensorflow/core/lib/core/error_codes.proto",),
    ),
    **_build(
        descriptor_pool.Default(),
        "tensorboard",
        "relight/tensorflow_server.proto",
        _SERVER,
        (cluster_pb2.DESCRIPTOR.name, config_pb2.DESCRIPTOR.name),
    ),
    **_build(
        descriptor_pool.Default(),
        "tensorboard",
        "relight/saved_model.proto",
        _SAVED_MODEL,
        (meta_graph_pb2.DESCRIPTOR.name,),
    ),
}

BytesList: Any = _classes["BytesList"]
FloatList: Any = _classes["FloatList"]
Int64List: Any = _classes["Int64List"]
Feature: Any = _classes["Feature"]
Features: Any = _classes["Features"]
FeatureList: Any = _classes["FeatureList"]
FeatureLists: Any = _classes["FeatureLists"]
Example: Any = _classes["Example"]
SequenceExample: Any = _classes["SequenceExample"]
CheckpointState: Any = _classes["CheckpointState"]
DeviceAttributes: Any = _classes["DeviceAttributes"]
DeviceLocality: Any = _classes["DeviceLocality"]
InterconnectLink: Any = _classes["InterconnectLink"]
LocalLinks: Any = _classes["LocalLinks"]
QueueRunnerDef: Any = _classes["QueueRunnerDef"]
ServerDef: Any = _classes["ServerDef"]
SavedModel: Any = _classes["SavedModel"]
