"""`tf.train.Checkpoint`: checkpoints of Python objects, matched by the paths between them.

A value is kept under the shortest path from the root to its object, `<path>/.ATTRIBUTES/
VARIABLE_VALUE`; an optimizer's slot of a variable under `<path of the variable>/.OPTIMIZER_SLOT/
<path of the optimizer>/<slot>/...`. The graph of the objects itself is saved with the values, as
the proto TrackableObjectGraph under `_CHECKPOINTABLE_OBJECT_GRAPH`.
"""

from __future__ import annotations

import collections
import itertools
import os
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.message import DecodeError
from tensorboard.compat.proto import trackable_object_graph_pb2

from relight.graph import dtypes, errors
from relight.graph.export import export
from relight.graph.graph import get_default_graph, get_default_session
from relight.graph.node import Tensor
from relight.ops.build import raw
from relight.ops.constants import constant
from relight.v1 import logging
from relight.v1.functions.resource_variables import ResourceVariable
from relight.v1.functions.variables import Variable
from relight.v1.layers.base_layer import BaseLayer
from relight.v1.train import saveables
from relight.v1.train.checkpoint_management import update_checkpoint_state_internal
from relight.v1.train.checkpoint_reader import NewCheckpointReader
from relight.v1.train.optimizer import Optimizer
from relight.v1.train.saver import Saver

OBJECT_GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
_VALUE = "VARIABLE_VALUE"
_uids = itertools.count(1)
ObjectGraph = trackable_object_graph_pb2.TrackableObjectGraph


class Container:
    """A list or dict that was set as an attribute of an object: its items are its children."""

    def __init__(self, items: Any):
        self.items = items

    def children(self) -> list[tuple[str, Any]]:
        """The items that hold state, by index or key."""
        pairs = self.items.items() if isinstance(self.items, dict) else enumerate(self.items)
        return [(str(k), v) for k, v in pairs if is_trackable(v)]


def is_trackable(value: Any) -> bool:
    """Whether a value can be a part of a checkpoint."""
    return isinstance(value, (Variable, Optimizer, BaseLayer, Checkpoint, Container))


def children(value: Any) -> list[tuple[str, Any]]:
    """The objects that an object depends on, with their names in it."""
    if isinstance(value, Checkpoint):
        return list(value._children.items())
    if isinstance(value, Container):
        return value.children()
    if isinstance(value, Optimizer):
        graph = get_default_graph()
        held = value._non_slot_dict.items()
        return sorted((name, v) for (name, g), v in held if g is None or g is graph)
    if isinstance(value, BaseLayer):
        return _parts_of_layer(value)
    return []


def _parts_of_layer(layer: Any) -> list[tuple[str, Any]]:
    """Weights in the order of their making, by their names in the layer; layers after them."""
    held = vars(layer)
    weights = [*layer._trainable_weights, *layer._non_trainable_weights]
    found: dict[str, Any] = {}
    for weight in sorted((w for w in weights if isinstance(w, Variable)), key=lambda w: w.op._id):
        found.setdefault(weight.op.name.rpartition("/")[2], weight)
    for name, value in held.items():
        if isinstance(value, (Variable, BaseLayer)) and all(v is not value for v in found.values()):
            found.setdefault(name, value)
        elif not name.startswith("_") and isinstance(value, (list, dict)):
            items = Container(value)
            if items.children():
                found.setdefault(name, items)
    return list(found.items())


def _escape(name: str) -> str:
    return name.replace(".", "..").replace("/", ".S")


class _Objects:
    """All objects that can be reached from a root, in breadth-first order, and their names."""

    def __init__(self, root: Any):
        self.all: list[Any] = []
        self.ids: dict[int, int] = {}
        self.children: list[list[tuple[str, Any]]] = []
        self.paths: dict[int, str] = {id(root): ""}
        self.slots: dict[int, list[tuple[str, int, int]]] = {}
        waiting = collections.deque([root])
        while waiting:
            value = waiting.popleft()
            self._add(value)
            for name, child in self.children[-1]:
                if id(child) not in self.paths:
                    start = self.paths[id(value)]
                    self.paths[id(child)] = f"{start}/{_escape(name)}" if start else _escape(name)
                    waiting.append(child)
        self._find_slots()

    def _add(self, value: Any) -> int:
        self.ids[id(value)] = len(self.all)
        self.all.append(value)
        self.children.append(children(value))
        return len(self.all) - 1

    def _find_slots(self) -> None:
        plain = list(self.all)
        for optimizer in plain:
            if not isinstance(optimizer, Optimizer):
                continue
            path = self.paths[id(optimizer)]
            for slot_name in optimizer.get_slot_names():
                for number, variable in enumerate(plain):
                    slot = None
                    if isinstance(variable, Variable):
                        slot = optimizer.get_slot(variable, slot_name)
                    if slot is None:
                        continue
                    if id(slot) in self.ids:
                        raise NotImplementedError(
                            f"The slot variable {slot.name} is a part of the checkpoint in its own "
                            "right"
                        )
                    start = self.paths[id(variable)]
                    self.paths[id(slot)] = f"{start}/.OPTIMIZER_SLOT/{path}/{_escape(slot_name)}"
                    entry = (slot_name, number, self._add(slot))
                    self.slots.setdefault(id(optimizer), []).append(entry)

    def key(self, value: Any) -> str:
        """Where a variable's value is kept."""
        return f"{self.paths[id(value)]}/.ATTRIBUTES/{_VALUE}"

    def proto(self) -> Any:
        """The graph of the objects."""
        proto = ObjectGraph()
        for value, parts in zip(self.all, self.children, strict=True):
            node = proto.nodes.add()
            for name, child in parts:
                node.children.add(node_id=self.ids[id(child)], local_name=name)
            for slot_name, original, slot in self.slots.get(id(value), ()):
                node.slot_variables.add(
                    slot_name=slot_name,
                    original_variable_node_id=original,
                    slot_variable_node_id=slot,
                )
            if isinstance(value, Variable):
                (full_name,) = saveables.op_list_to_dict([value], convert_variable_to_tensor=False)
                node.attributes.add(
                    name=_VALUE, full_name=full_name, checkpoint_key=self.key(value)
                )
        return proto


# -- nodes that save and restore -------------------------------------------------------------------


def _by_device(items: Sequence[Any]) -> list[tuple[str, list[Any]]]:
    found: dict[str, list[Any]] = {}
    for item in items:
        found.setdefault(item.device or "", []).append(item)
    return sorted(found.items())


def _save_nodes(prefix: Tensor, items: Sequence[Any]) -> Any:
    """The operation that writes a checkpoint: one part a device, then merged."""
    graph = get_default_graph()
    with graph.device("/device:CPU:0"):
        start = raw.StringJoin([prefix, f"_temp_{uuid.uuid4().hex}/part"])
    groups = _by_device(items)
    count = constant(len(groups), name="num_shards")
    parts, saves = [], []
    for number, (device, group) in enumerate(groups):
        with graph.device(saveables.set_cpu0(device)):
            part = raw.ShardedFilename(start, number, count)
        parts.append(part)
        specs = [spec for item in group for spec in item.specs]
        with graph.device(device), graph.device("/device:CPU:0"):
            save = raw.SaveV2(
                part,
                [s.name for s in specs],
                [s.slice_spec for s in specs],
                [s.tensor for s in specs],
            )
        saves.append(save)
    with graph.control_dependencies(saves), graph.device(saveables.set_cpu0(groups[-1][0])):
        return raw.MergeV2Checkpoints(parts, prefix, delete_old_dirs=True)


def _restore_nodes(prefix: Tensor, items: Sequence[Any]) -> dict[str, Any]:
    """Name -> the operation that restores it."""
    graph = get_default_graph()
    found: dict[str, Any] = {}
    for device, group in _by_device(items):
        specs = [spec for item in group for spec in item.specs]
        with graph.device(device):
            with graph.device("/device:CPU:0"):
                tensors = iter(
                    raw.RestoreV2(
                        prefix,
                        [s.name for s in specs],
                        [s.slice_spec for s in specs],
                        dtypes=[dtypes.as_dtype(s.dtype).base_dtype for s in specs],
                    )
                )
            for item in group:
                values = [next(tensors) for _ in item.specs]
                found[item.name] = item.restore(values, None)
    return found


class _Part(saveables.SaveableObject):
    """The graph of the objects, which is saved but not restored."""

    def __init__(self, tensor: Tensor):
        super().__init__(tensor, [saveables.SaveSpec(tensor, "", OBJECT_GRAPH_KEY)], "")


def _session(session: Any) -> Any:
    found = get_default_session() if session is None else session
    if found is None:
        raise ValueError("Checkpoint: no session was given and there is no default session")
    return found


# -- status ----------------------------------------------------------------------------------------


class _Status:
    """What `restore` gives: whether everything was found, and the operations that restore."""

    def __init__(self, root: Checkpoint):
        self._root = root
        self._uid = next(_uids)

    def expect_partial(self) -> Any:
        """Say that parts of the checkpoint may stay unused."""
        return self

    def _objects(self) -> list[Any]:
        return _Objects(self._root).all

    def _initializers(self, restored: set[int]) -> list[Any]:
        """Of the variables that neither this nor a later checkpoint restores."""
        later = self._root._restored
        return [
            v.initializer
            for v in self._objects()
            if isinstance(v, Variable)
            and id(v) not in restored
            and later.get(id(v), (0, None))[0] < self._uid
        ]


class CheckpointLoadStatus(_Status):
    """Of a checkpoint of objects. Objects that are made later are matched when they are there."""

    def __init__(self, root: Checkpoint, path: str, proto: Any, prefix: Tensor):
        super().__init__(root)
        self._path, self._proto, self._prefix = path, proto, prefix
        self._found: dict[int, Any] = {}  # node of the proto -> object
        self._restore_ops: list[Any] = []
        self._done: set[int] = set()
        self._unused: dict[int, list[str]] = {}
        self._seen: list[Any] = []
        self._slots: dict[int, list[tuple[int, int, str]]] = {}
        for number, node in enumerate(proto.nodes):
            for slot in node.slot_variables:
                entry = (number, slot.slot_variable_node_id, slot.slot_name)
                self._slots.setdefault(slot.original_variable_node_id, []).append(entry)
        self._match()

    def _match(self) -> None:
        """Bind objects to nodes of the proto, and make operations for those newly bound."""
        waiting = collections.deque([0])
        visited = {0}
        values: dict[str, Any] = {}
        self._bind(0, self._root)
        while waiting:
            number = waiting.popleft()
            value = self._found[number]
            self._gather(number, value, values)
            parts = dict(children(value))
            for child in self._proto.nodes[number].children:
                local = parts.get(child.local_name)
                if local is None:
                    continue
                self._bind(child.node_id, local)
                if child.node_id not in visited:
                    visited.add(child.node_id)
                    waiting.append(child.node_id)
        self._add(values)

    def _bind(self, number: int, value: Any) -> None:
        known = self._found.get(number)
        if known is None:
            self._found[number] = value
        elif known is not value and not isinstance(value, Container):
            logging.warning(
                "Inconsistent references when loading the checkpoint into this object graph. "
                "Either the objects of the program refer to each other in another way, or the "
                "checkpoint comes from another program.\n\nTwo checkpoint references resolved to "
                "different objects (%s and %s).",
                known,
                value,
            )
        for original, entries in self._slots.items():
            variable = self._found.get(original)
            for optimizer_id, slot_id, slot_name in entries:
                optimizer = self._found.get(optimizer_id)
                if variable is None or optimizer is None or slot_id in self._found:
                    continue
                slot = optimizer.get_slot(variable, slot_name)
                if slot is not None:
                    self._found[slot_id] = slot
                    values: dict[str, Any] = {}
                    self._gather(slot_id, slot, values)
                    self._add(values)

    def _gather(self, number: int, value: Any, values: dict[str, Any]) -> None:
        if number in self._done:
            return
        self._done.add(number)
        self._root._restored[id(value)] = (self._uid, value)
        for attribute in self._proto.nodes[number].attributes:
            key = attribute.checkpoint_key
            made = self._root._restore_ops.get((id(value), key))
            if made is not None:
                self._restore_ops.append(made)
            elif isinstance(value, Variable) and attribute.name == _VALUE:
                values[key] = value
            elif not attribute.optional_restore:
                self._unused.setdefault(number, []).append(attribute.name)

    def _add(self, values: dict[str, Any]) -> None:
        if not values:
            return
        made = _restore_nodes(self._prefix, saveables.validate_and_slice_inputs(values))
        for key, operation in sorted(made.items()):
            self._root._restore_ops[id(values[key]), key] = operation
            self._restore_ops.append(operation)

    def _names(self) -> dict[int, str]:
        """Node of the proto -> a name to tell it by."""
        nodes = self._proto.nodes
        found = {0: "(root)"}
        waiting = collections.deque([0])
        while waiting:
            number = waiting.popleft()
            for child in nodes[number].children:
                if child.node_id not in found:
                    found[child.node_id] = f"{found[number]}.{child.local_name}"
                    waiting.append(child.node_id)
        for number, node in enumerate(nodes):
            for slot in node.slot_variables:
                found[slot.slot_variable_node_id] = (
                    f"{found[number]}'s state '{slot.slot_name}' for "
                    f"{found[slot.original_variable_node_id]}"
                )
        return found

    def assert_existing_objects_matched(self) -> CheckpointLoadStatus:
        """AssertionError when an object of the program has nothing in the checkpoint."""
        self._match()
        for number, value in self._found.items():
            if self._root._restored.get(id(value), (0, None))[0] < self._uid:
                raise AssertionError(
                    f"Object not assigned a value from checkpoint: {self._proto.nodes[number]}"
                )
        bound = {id(v) for v in self._found.values()}
        unused = [
            v
            for v in self._objects()
            if id(v) not in bound and not isinstance(v, Container)
        ]  # fmt: skip
        if unused:
            raise AssertionError(
                "Some Python objects were not bound to checkpointed values, likely due to changes "
                f"in the Python program: {unused}"
            )
        return self

    def assert_consumed(self) -> CheckpointLoadStatus:
        """AssertionError when program and checkpoint do not hold the same objects."""
        self.assert_existing_objects_matched()
        names = self._names()
        for number, node in enumerate(self._proto.nodes):
            if number not in self._found:
                raise AssertionError(f"Unresolved object in checkpoint {names[number]}: {node}")
        if self._unused:
            told = "\n".join(
                f"{names[n]} ({self._found[n]}): {attributes}"
                for n, attributes in self._unused.items()
            )
            raise AssertionError(
                "Unused attributes in these objects (the attributes exist in the checkpoint but "
                f"were not restored):\n{told}"
            )
        return self

    def assert_nontrivial_match(self) -> CheckpointLoadStatus:
        """AssertionError when nothing but the root was found."""
        self._match()
        if len(self._found) <= 1:
            others = [v for v in self._objects() if v is not self._root]
            if others:
                raise AssertionError(
                    "Nothing except the root object matched a checkpointed value. Typically this "
                    "means that the checkpoint does not match the Python program. The following "
                    f"objects have no matching checkpointed value: {others}"
                )
            raise AssertionError(
                f"Nothing to load. No dependencies have been added to {self._root} yet."
            )
        return self

    def run_restore_ops(self, session: Any = None) -> None:
        """Restore what was found."""
        self._match()
        _session(session).run(self._restore_ops, feed_dict={self._prefix: self._path})

    def initialize_or_restore(self, session: Any = None) -> None:
        """Restore what was found, and initialize the other variables."""
        session = _session(session)
        self.run_restore_ops(session)
        session.run(self._initializers({id(v) for v in self._found.values()}))


class InitializationOnlyStatus(_Status):
    """Of no checkpoint at all: variables can be initialized."""

    def assert_consumed(self) -> Any:
        """Fails: there is nothing to restore."""
        raise AssertionError("No checkpoint specified (save_path=None); nothing is being restored.")

    assert_existing_objects_matched = assert_consumed
    assert_nontrivial_match = assert_consumed

    def run_restore_ops(self, session: Any = None) -> None:
        """Fails: there is nothing to restore."""
        raise AssertionError(
            "No checkpoint specified, so no restore ops are available (save_path=None to "
            "Saver.restore)."
        )

    def initialize_or_restore(self, session: Any = None) -> None:
        """Initialize all variables."""
        _session(session).run(self._initializers(set()))


class NameBasedSaverStatus(_Status):
    """Of a checkpoint that `tf.train.Saver` wrote: variables are found by their names."""

    def __init__(self, root: Checkpoint, path: str):
        super().__init__(root)
        self._path = path

    def assert_consumed(self) -> NameBasedSaverStatus:
        """AssertionError when an object was not restored."""
        for value in self._objects():
            if self._root._restored.get(id(value), (0, None))[0] < self._uid:
                raise AssertionError(f"Object not restored: {value}")
        return self

    assert_existing_objects_matched = assert_consumed
    assert_nontrivial_match = assert_consumed

    def run_restore_ops(self, session: Any = None) -> None:
        """Restore all variables."""
        objects = self._objects()
        self._root._restored.update((id(v), (self._uid, v)) for v in objects)
        variables = [v for v in objects if isinstance(v, Variable)]
        with get_default_graph().device("/device:CPU:0"):
            Saver(variables).restore(_session(session), self._path)

    initialize_or_restore = run_restore_ops


# -- the checkpoint --------------------------------------------------------------------------------


@export("train.Checkpoint")
class Checkpoint:
    """Saves and restores objects: variables, optimizers, layers, other Checkpoints.

    `kwargs`: the objects by name; further ones may be set as attributes, also in lists and dicts.
    ValueError for an object that holds no state.
    """

    def __init__(self, **kwargs: Any):
        plain = self.__dict__
        plain["_children"] = {}
        plain["_save_counter"] = None
        plain["_save_assign"] = None
        plain["_save"] = None  # feeds of the graph and of the prefix; the graph saved, its node
        plain["_prefix"] = None
        plain["_restored"] = {}  # id -> (number of the restore, the object, kept alive)
        plain["_restore_ops"] = {}
        for name, value in sorted(kwargs.items()):
            if not is_trackable(value):
                raise ValueError(
                    "`Checkpoint` was expecting a trackable object (an object derived from "
                    f"`TrackableBase`), got {value}. If you believe this object should be "
                    "trackable (i.e. it is part of the TensorFlow Python API and manages state), "
                    "please open an issue."
                )
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value
        if is_trackable(value):
            self._children[name] = value
        elif isinstance(value, (list, dict)):
            self._children[name] = Container(value)
        else:
            self._children.pop(name, None)

    @property
    def save_counter(self) -> Any:
        """A variable that counts calls of `save`."""
        if self._save_counter is None:
            with get_default_graph().device("/cpu:0"):
                counter = ResourceVariable(
                    lambda: 0, name="save_counter", dtype=dtypes.int64, trainable=False
                )
            self.__dict__["_save_counter"] = counter
            self._children["save_counter"] = counter
        return self._save_counter

    def write(self, file_prefix: str, session: Any = None) -> str:
        """Write a checkpoint to files that begin with `file_prefix`; the prefix."""
        session = _session(session)
        graph = get_default_graph()
        if self._save is None:
            with graph.device("/cpu:0"):
                feeds = [constant("", dtype=dtypes.string) for _ in range(2)]
            self.__dict__["_save"] = [*feeds, None, None]
        described, prefix, saved, node = self._save
        folder = os.path.dirname(file_prefix)
        if folder:
            os.makedirs(folder, exist_ok=True)
        objects = _Objects(self)
        proto = objects.proto()
        if saved != proto:
            items: list[Any] = []
            for value in objects.all:
                if isinstance(value, Variable):
                    items += saveables.saveable_objects_for_op(value, objects.key(value))
            merge = _save_nodes(prefix, [*items, _Part(described)])
            with graph.device("/cpu:0"), graph.control_dependencies([merge]):
                node = raw.Identity(prefix)
            self._save[2:] = [proto, node]
        feed = {described: proto.SerializeToString(), prefix: file_prefix}
        return session.run(node, feed_dict=feed).decode()

    def save(self, file_prefix: str, session: Any = None) -> str:
        """Write a numbered checkpoint, `<file_prefix>-<number>`, and note it as the latest."""
        session = _session(session)
        if self._save_counter is None:
            session.run(self.save_counter.initializer)
        if self._save_assign is None:
            with get_default_graph().colocate_with(self.save_counter.op):
                self.__dict__["_save_assign"] = self.save_counter.assign_add(1, read_value=True)
        path = self.write(f"{file_prefix}-{session.run(self._save_assign)}", session)
        update_checkpoint_state_internal(
            os.path.dirname(file_prefix), path, [path], save_relative_paths=True
        )
        return path

    def restore(self, save_path: str | None) -> Any:
        """Match the objects with those of a checkpoint; the status with which to restore them.

        None gives a status that can only initialize. A checkpoint that `tf.train.Saver` wrote is
        restored by the names of variables. NotFoundError when there is no such checkpoint.
        """
        status = self._status(save_path)
        self.save_counter  # noqa: B018  (made now, so that it is initialized or restored too)
        if isinstance(status, CheckpointLoadStatus):
            status._match()
        return status

    def _status(self, save_path: str | None) -> Any:
        if save_path is None:
            return InitializationOnlyStatus(self)
        reader = NewCheckpointReader(save_path)
        if not reader.has_tensor(OBJECT_GRAPH_KEY):
            return NameBasedSaverStatus(self, save_path)
        try:
            proto = ObjectGraph.FromString(bytes(reader.get_tensor(OBJECT_GRAPH_KEY)))
        except DecodeError as error:
            raise errors.DataLossError(
                None, None, f"{save_path}: the graph of its objects is malformed: {error}"
            ) from None
        _check(proto, save_path)
        if self._prefix is None:
            with get_default_graph().device("/cpu:0"):
                self.__dict__["_prefix"] = constant("model")
        return CheckpointLoadStatus(self, save_path, proto, self._prefix)


def _check(proto: Any, path: str) -> None:
    """DataLossError when a node of the graph points nowhere."""

    def numbers() -> Iterator[int]:
        for node in proto.nodes:
            yield from (c.node_id for c in node.children)
            for slot in node.slot_variables:
                yield slot.original_variable_node_id
                yield slot.slot_variable_node_id

    count = len(proto.nodes)
    if not count or any(not 0 <= n < count for n in numbers()):
        raise errors.DataLossError(
            None, None, f"{path}: the graph of its objects refers to an object that it lacks"
        )
