"""`tf.train.Saver`: adds the nodes that save and restore variables, runs them, keeps the files."""

from __future__ import annotations

import collections
import os
import time
import uuid
from typing import Any

import numpy as np
from tensorboard.compat.proto import saver_pb2, trackable_object_graph_pb2

from relight.engine.session import BaseSession
from relight.graph import device as devices
from relight.graph import errors
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.ops.build import raw
from relight.ops.constants import constant
from relight.v1 import logging
from relight.v1.functions.control import group, with_dependencies
from relight.v1.functions.partitioned_variables import PartitionedVariable
from relight.v1.functions.variables import prepend_scope, strip_scope
from relight.v1.train import checkpoint_management, meta_graph, saveables
from relight.v1.train.checkpoint_reader import NewCheckpointReader

SaverDef = export("train.SaverDef")(saver_pb2.SaverDef)
_OBJECT_GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"


def all_saveable_objects(scope: str | None = None) -> list[Any]:
    """The global variables and the saveable objects of the default graph."""
    graph = get_default_graph()
    return graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope) + graph.get_collection(
        GraphKeys.SAVEABLE_OBJECTS, scope
    )


class BaseSaverBuilder:
    """Builds the nodes of a Saver; each saveable is restored by a node of its own."""

    SaveSpec = saveables.SaveSpec
    SaveableObject = saveables.SaveableObject
    VariableSaveable = saveables.ReferenceVariableSaveable
    ResourceVariableSaveable = saveables.ResourceVariableSaveable

    def __init__(self, write_version: int = saver_pb2.SaverDef.V2):
        self._write_version = write_version

    def save_op(self, filename_tensor: Tensor, saveables: list[Any]) -> Any:
        """The node that writes the saveables."""
        specs = [spec for saveable in saveables for spec in saveable.specs]
        names = [s.name for s in specs]
        tensors = [s.tensor for s in specs]
        slices = [s.slice_spec for s in specs]
        if self._write_version == saver_pb2.SaverDef.V1:
            return raw.SaveSlices(filename_tensor, names, slices, tensors, name="save")
        if self._write_version == saver_pb2.SaverDef.V2:
            return raw.SaveV2(filename_tensor, names, slices, tensors)
        raise RuntimeError(f"Unexpected write_version: {self._write_version}")

    def bulk_restore(
        self,
        filename_tensor: Tensor,
        saveables: list[Any],
        preferred_shard: int,
        restore_sequentially: bool,
    ) -> list[Tensor]:
        """The tensors of all saveables, read from the file."""
        del restore_sequentially
        found: list[Tensor] = []
        for saveable in saveables:
            device = _saveables.set_cpu0(saveable.device) if saveable.device else None
            with get_default_graph().device(device):
                found.extend(self.restore_op(filename_tensor, saveable, preferred_shard))
        return found

    def restore_op(self, filename_tensor: Tensor, saveable: Any, preferred_shard: int) -> list:
        """The tensors of one saveable, read from the file."""
        del preferred_shard
        return [
            raw.RestoreV2(filename_tensor, [s.name], [s.slice_spec], [s.dtype])[0]
            for s in saveable.specs
        ]

    def sharded_filename(self, filename_tensor: Tensor, shard: int, num_shards: Tensor) -> Tensor:
        """The file name of one shard."""
        return raw.ShardedFilename(filename_tensor, shard, num_shards)

    def _add_save(self, filename_tensor: Tensor, items: list[Any]) -> Tensor:
        return with_dependencies([self.save_op(filename_tensor, items)], filename_tensor)

    def _add_sharded_save(self, filename_tensor: Tensor, per_device: list[Any]) -> Tensor:
        v2 = self._write_version == saver_pb2.SaverDef.V2
        graph = get_default_graph()
        prefix = filename_tensor
        if v2:
            prefix = raw.StringJoin([filename_tensor, f"_temp_{uuid.uuid4().hex}/part"])
        count = constant(len(per_device), name="num_shards")
        saves, names = [], []
        last_device = ""
        for shard, (device, items) in enumerate(per_device):
            last_device = device
            with graph.device(_saveables.set_cpu0(device) if v2 else device):
                name = self.sharded_filename(prefix, shard, count)
                names.append(name)
                saves.append(self._add_save(name, items))
        with graph.control_dependencies([s.op for s in saves]):
            if not v2:
                return raw.ShardedFilespec(filename_tensor, count)
            with graph.device(_saveables.set_cpu0(last_device)):
                merged = raw.MergeV2Checkpoints(names, filename_tensor, delete_old_dirs=True)
                with graph.control_dependencies([merged]):
                    return raw.Identity(filename_tensor)

    def _add_restore(
        self,
        filename_tensor: Tensor,
        items: list[Any],
        restore_sequentially: bool,
        reshape: bool,
        preferred_shard: int = -1,
        name: str = "restore_all",
    ) -> Any:
        tensors = self.bulk_restore(filename_tensor, items, preferred_shard, restore_sequentially)
        assigned = []
        for saveable in items:
            shapes = None
            if reshape:
                shapes = []
                for spec in saveable.specs:
                    shape = spec.tensor.get_shape()
                    shapes.append(
                        shape.as_list() if shape.is_fully_defined() else _shape(spec.tensor)
                    )
            own, tensors = tensors[: len(saveable.specs)], tensors[len(saveable.specs) :]
            assigned.append(saveable.restore(own, shapes))
        return group(*assigned, name=name)

    def _add_sharded_restore(
        self, filename_tensor: Tensor, per_device: list[Any], sequentially: bool, reshape: bool
    ) -> Any:
        restores = []
        for shard, (device, items) in enumerate(per_device):
            with get_default_graph().device(device):
                restores.append(
                    self._add_restore(
                        filename_tensor, items, sequentially, reshape, shard, "restore_shard"
                    )
                )
        return group(*restores, name="restore_all")

    @staticmethod
    def _group_by_devices(items: list[Any]) -> list[Any]:
        per_device: dict[str, list[Any]] = collections.defaultdict(list)
        for saveable in items:
            # Asking for the tensors makes those of partitioned variables once more, as TensorFlow
            # does; they are read on the processor.
            names = {devices.canonical(spec.tensor.device) for spec in saveable.specs}
            if len(names) != 1:
                raise ValueError(
                    f"All tensors of a saveable object must be on the same device: {saveable.name}"
                )
            per_device[names.pop()].append(saveable)
        return sorted(per_device.items(), key=lambda item: item[0])

    def build(
        self,
        names_to_saveables: Any,
        reshape: bool = False,
        sharded: bool = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0,
        name: str | None = None,
        restore_sequentially: bool = False,
        filename: str | None = "model",
    ) -> Any:
        """Add the nodes that save and restore; a SaverDef that names them."""
        items = _saveables.validate_and_slice_inputs(names_to_saveables)
        with name_scope(name, "save", [s.op for s in items]):
            tensor = raw.PlaceholderWithDefault(filename or "model", shape=(), name="filename")
            tensor = raw.PlaceholderWithDefault(tensor, shape=(), name="Const")
            if sharded:
                per_device = self._group_by_devices(items)
                save_tensor = self._add_sharded_save(tensor, per_device)
                restore_op = self._add_sharded_restore(
                    tensor, per_device, restore_sequentially, reshape
                )
            else:
                save_tensor = self._add_save(tensor, items)
                restore_op = self._add_restore(tensor, items, restore_sequentially, reshape)
        _name_partitioned(get_default_graph())
        return saver_pb2.SaverDef(
            filename_tensor_name=tensor.name,
            save_tensor_name=save_tensor.name,
            restore_op_name=restore_op.name,
            max_to_keep=max_to_keep or 0,
            sharded=sharded,
            keep_checkpoint_every_n_hours=keep_checkpoint_every_n_hours,
            version=self._write_version,
        )


_saveables = saveables  # methods above have a parameter of that name, as TensorFlow's have


def _shape(tensor: Tensor) -> Tensor:
    return raw.Shape(tensor, name="Shape")


def _name_partitioned(graph: Any) -> None:
    """Collections are exported by name, so every partitioned variable needs its tensor."""
    for key in graph.get_all_collection_keys():
        for element in graph.get_collection(key):
            if isinstance(element, PartitionedVariable):
                try:
                    graph.get_operation_by_name(element.name)
                except KeyError:
                    element.as_tensor()


class BulkSaverBuilder(BaseSaverBuilder):
    """A SaverBuilder that restores all saveables of a device with one node."""

    def bulk_restore(
        self,
        filename_tensor: Tensor,
        saveables: list[Any],
        preferred_shard: int,
        restore_sequentially: bool,
    ) -> list[Tensor]:
        """The tensors of all saveables, read by one node."""
        del preferred_shard, restore_sequentially
        specs = [spec for saveable in saveables for spec in saveable.specs]
        with get_default_graph().device("cpu:0"):
            return raw.RestoreV2(
                filename_tensor,
                [s.name for s in specs],
                [s.slice_spec for s in specs],
                [s.dtype for s in specs],
            )


def get_saver_or_default() -> Saver:
    """The saver of the collection SAVERS, or a new one added to it."""
    graph = get_default_graph()
    savers = graph.get_collection(GraphKeys.SAVERS)
    if savers:
        if len(savers) > 1:
            raise RuntimeError(
                f"More than one item in collection {GraphKeys.SAVERS}. Please indicate which one "
                "to use by passing it to the constructor."
            )
        return savers[0]
    saver = Saver(sharded=True, allow_empty=True)
    graph.add_to_collection(GraphKeys.SAVERS, saver)
    return saver


@export("train.Saver")
class Saver:
    """Saves variables to checkpoint files and restores them.

    `var_list` is a list of variables, or a dict from names in the checkpoint to variables; without
    it, all global variables and saveable objects are meant. The last `max_to_keep` checkpoints are
    kept (None or 0: all), and one for every `keep_checkpoint_every_n_hours` hours. Every file is
    written whole or not at all, and the file `checkpoint` names a checkpoint only when it is there.

    Raises TypeError and ValueError for a bad `var_list`, ValueError when there is nothing to save
    (unless `allow_empty`).
    """

    def __init__(
        self,
        var_list: Any = None,
        reshape: bool = False,
        sharded: bool = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0,
        name: str | None = None,
        restore_sequentially: bool = False,
        saver_def: Any = None,
        builder: Any = None,
        defer_build: bool = False,
        allow_empty: bool = False,
        write_version: int = saver_pb2.SaverDef.V2,
        pad_step_number: bool = False,
        save_relative_paths: bool = False,
        filename: str | None = None,
    ):
        if defer_build and var_list:
            raise ValueError(
                "If `var_list` is provided then build cannot be deferred. Either set "
                "defer_build=False or var_list=None."
            )
        self._var_list = var_list
        self._reshape = reshape
        self._sharded = sharded
        self._max_to_keep = max_to_keep
        self._keep_checkpoint_every_n_hours = keep_checkpoint_every_n_hours
        self._name = name
        self._restore_sequentially = restore_sequentially
        self.saver_def = saver_def
        self._builder = builder
        self._is_built = False
        self._allow_empty = allow_empty
        self._is_empty: bool | None = None
        self._write_version = write_version
        self._pad_step_number = pad_step_number
        self._filename = filename
        self._save_relative_paths = save_relative_paths
        self._last_checkpoints: list[tuple[str, float]] = []
        self._to_be_deleted: list[tuple[str, float]] = []
        self._object_restore_saver: Saver | None = None
        self._next_checkpoint_time = 0.0
        if not defer_build:
            self.build()
        if self.saver_def:
            self._check_saver_def()
            self._write_version = self.saver_def.version

    def build(self) -> None:
        """Add the nodes, where the constructor was told to defer that."""
        if self._is_built:
            return
        self._is_built = True
        if not self.saver_def:
            if self._builder is None:
                self._builder = BulkSaverBuilder(self._write_version)
            if self._var_list is None:
                self._var_list = all_saveable_objects()
            if not self._var_list:
                if not self._allow_empty:
                    raise ValueError("No variables to save")
                self._is_empty = True
                return
            self._is_empty = False
            self.saver_def = self._builder.build(
                self._var_list,
                reshape=self._reshape,
                sharded=self._sharded,
                max_to_keep=self._max_to_keep,
                keep_checkpoint_every_n_hours=self._keep_checkpoint_every_n_hours,
                name=self._name,
                restore_sequentially=self._restore_sequentially,
                filename=self._filename,
            )
        elif self._name:
            for field in ("filename_tensor_name", "save_tensor_name", "restore_op_name"):
                value = prepend_scope(getattr(self.saver_def, field), self._name)
                setattr(self.saver_def, field, value)
        self._check_saver_def()
        self._next_checkpoint_time = (
            time.time() + self.saver_def.keep_checkpoint_every_n_hours * 3600
        )

    def _check_saver_def(self) -> None:
        if not isinstance(self.saver_def, saver_pb2.SaverDef):
            raise ValueError(f"saver_def must be a saver_pb2.SaverDef: {self.saver_def}")
        if not self.saver_def.save_tensor_name:
            raise ValueError(f"saver_def must specify the save_tensor_name: {self.saver_def}")
        if not self.saver_def.restore_op_name:
            raise ValueError(f"saver_def must specify the restore_op_name: {self.saver_def}")

    # -- the files that are kept -----------------------------------------------------------------

    def _record_last_checkpoint(self, path: str) -> None:
        if not self.saver_def.max_to_keep:
            return
        self._last_checkpoints = [p for p in self._last_checkpoints if p[0] != path]
        self._last_checkpoints.append((path, time.time()))
        if len(self._last_checkpoints) > self.saver_def.max_to_keep:
            self._to_be_deleted.append(self._last_checkpoints.pop(0))

    def _delete_old_checkpoints(self, meta_graph_suffix: str) -> None:
        if not self._to_be_deleted:
            return
        path, saved_at = self._to_be_deleted.pop(0)
        if saved_at > self._next_checkpoint_time:
            self._next_checkpoint_time += self.saver_def.keep_checkpoint_every_n_hours * 3600
            return
        try:
            checkpoint_management.remove_checkpoint(path, self.saver_def.version, meta_graph_suffix)
        except (OSError, errors.OpError) as error:
            logging.warning("Ignoring: %s", str(error))

    def as_saver_def(self) -> Any:
        """The SaverDef that names this saver's nodes."""
        return self.saver_def

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The SaverDef; with a scope, relative to it, or None when the saver is not in it."""
        if export_scope is None:
            return self.saver_def
        fields = ("filename_tensor_name", "save_tensor_name", "restore_op_name")
        if not all(getattr(self.saver_def, f).startswith(export_scope) for f in fields):
            return None
        result = saver_pb2.SaverDef()
        result.CopyFrom(self.saver_def)
        for field in fields:
            setattr(result, field, strip_scope(getattr(result, field), export_scope))
        return result

    @staticmethod
    def from_proto(saver_def: Any, import_scope: str | None = None) -> Saver:
        """The saver whose nodes `saver_def` names."""
        return Saver(saver_def=saver_def, name=import_scope)

    @property
    def last_checkpoints(self) -> list[str]:
        """The kept checkpoints, oldest first."""
        return [path for path, _ in self._last_checkpoints]

    def set_last_checkpoints(self, last_checkpoints: list[str]) -> None:
        """Set the list of kept checkpoints, of unknown age."""
        assert isinstance(last_checkpoints, list)
        self._last_checkpoints = [(path, np.inf) for path in last_checkpoints]

    def set_last_checkpoints_with_time(self, last_checkpoints_with_time: list) -> None:
        """Set the list of kept checkpoints: (path, seconds since 1970), oldest first."""
        assert isinstance(last_checkpoints_with_time, list)
        self._last_checkpoints = last_checkpoints_with_time

    def recover_last_checkpoints(self, checkpoint_paths: Any) -> None:
        """Take over the checkpoints of an earlier run, as far as their files are there."""
        found = []
        for path in checkpoint_paths:
            times = checkpoint_management.get_checkpoint_mtimes([path])
            if times:
                found.append((path, times[0]))
        self.set_last_checkpoints_with_time(found)

    # -- saving and restoring --------------------------------------------------------------------

    def save(
        self,
        sess: Any,
        save_path: str,
        global_step: Any = None,
        latest_filename: str | None = None,
        meta_graph_suffix: str = "meta",
        write_meta_graph: bool = True,
        write_state: bool = True,
        strip_default_attrs: bool = False,
        save_debug_info: bool = False,
    ) -> str | None:
        """Write the variables of a session to `save_path` (`-<global_step>` appended); its path.

        Gives None when there is nothing to save. Raises TypeError without a session, ValueError
        when the directory does not exist or names collide, and a `tf.errors` exception when the
        files cannot be written; then what was there before is unchanged.
        """
        if not self._is_built:
            raise RuntimeError("`build()` should be called before save if defer_build==True")
        save_path = os.fspath(save_path)
        if latest_filename is None:
            latest_filename = "checkpoint"
        if self._write_version != saver_pb2.SaverDef.V2:
            _warn_of_v1()
        if os.path.split(latest_filename)[0]:
            raise ValueError("'latest_filename' must not contain path components")
        if global_step is not None:
            if not isinstance(global_step, (int, np.integer)):
                global_step = int(sess.run(global_step))
            checkpoint_file = f"{save_path}-{global_step:d}"
            if self._pad_step_number:
                checkpoint_file = f"{save_path}-{global_step:08d}"
        else:
            checkpoint_file = save_path
            if os.path.basename(save_path) == latest_filename and not self._sharded:
                raise ValueError(
                    f"'latest_filename' collides with 'save_path': '{latest_filename}' and "
                    f"'{save_path}'"
                )
        if not isinstance(sess, BaseSession):
            raise TypeError(f"'sess' must be a Session; {sess}")
        parent = os.path.dirname(save_path)
        path = None
        try:
            if not self._is_empty:
                path = sess.run(
                    self.saver_def.save_tensor_name,
                    {self.saver_def.filename_tensor_name: checkpoint_file},
                )
                path = path.decode() if isinstance(path, bytes) else str(path)
            if write_meta_graph:  # before the file `checkpoint`, which must name nothing unfinished
                with sess.graph.as_default():
                    self.export_meta_graph(
                        checkpoint_management.meta_graph_filename(
                            checkpoint_file, meta_graph_suffix
                        ),
                        strip_default_attrs=strip_default_attrs,
                        save_debug_info=save_debug_info,
                    )
            if path is not None and write_state:
                self._record_last_checkpoint(path)
                checkpoint_management.update_checkpoint_state_internal(
                    save_dir=parent,
                    model_checkpoint_path=path,
                    all_model_checkpoint_paths=self.last_checkpoints,
                    latest_filename=latest_filename,
                    save_relative_paths=self._save_relative_paths,
                )
                self._delete_old_checkpoints(meta_graph_suffix)
        except (errors.FailedPreconditionError, errors.NotFoundError):
            if not os.path.isdir(parent or "."):
                raise ValueError(
                    f"Parent directory of {save_path} doesn't exist, can't save."
                ) from None
            raise
        return path

    def export_meta_graph(
        self,
        filename: str | None = None,
        collection_list: Any = None,
        as_text: bool = False,
        export_scope: str | None = None,
        clear_devices: bool = False,
        clear_extraneous_savers: bool = False,
        strip_default_attrs: bool = False,
        save_debug_info: bool = False,
    ) -> Any:
        """A MetaGraphDef of the default graph and this saver, optionally written to a file."""
        return export_meta_graph(
            filename=filename,
            graph_def=get_default_graph().as_graph_def(add_shapes=True),
            saver_def=self.saver_def,
            collection_list=collection_list,
            as_text=as_text,
            export_scope=export_scope,
            clear_devices=clear_devices,
            clear_extraneous_savers=clear_extraneous_savers,
            strip_default_attrs=strip_default_attrs,
            save_debug_info=save_debug_info,
        )

    def restore(self, sess: Any, save_path: str) -> None:
        """Set the variables of a session from a checkpoint.

        Raises ValueError when there is none, NotFoundError when it lacks a variable,
        InvalidArgumentError when a shape or type differs, DataLossError when it is damaged.
        """
        if self._is_empty:
            return
        if save_path is None:
            raise ValueError("Can't load save_path when it is None.")
        prefix = save_path.decode() if isinstance(save_path, bytes) else os.fspath(save_path)
        if not checkpoint_management.files_exist(prefix):
            raise ValueError("The passed save_path is not a valid checkpoint: " + prefix)
        logging.info("Restoring parameters from %s", prefix)
        try:
            sess.run(self.saver_def.restore_op_name, {self.saver_def.filename_tensor_name: prefix})
        except errors.NotFoundError as error:
            try:
                names_to_keys = object_graph_key_mapping(prefix)
            except errors.NotFoundError:
                what = "a Variable name or other graph key that is missing"
                raise _with_advice(error, what) from None
            logging.warning(
                "Restoring an object-based checkpoint using a name-based saver. This may be "
                "somewhat fragile, and will re-build the Saver. Instead, consider loading "
                "object-based checkpoints using tf.train.Checkpoint()."
            )
            self._object_restore_saver = saver_from_object_based_checkpoint(
                prefix, self._var_list, self._builder, names_to_keys, self._object_restore_saver
            )
            self._object_restore_saver.restore(sess=sess, save_path=prefix)
        except errors.InvalidArgumentError as error:
            what = "a mismatch between the current graph and the graph"
            raise _with_advice(error, what) from None


def _warn_of_v1() -> None:
    stars = "*" * 55
    for line in (
        stars,
        "TensorFlow's V1 checkpoint format has been deprecated.",
        "Consider switching to the more efficient V2 format:",
        "   `tf.train.Saver(write_version=tf.train.SaverDef.V2)`",
        "now on by default.",
        stars,
    ):
        logging.warning(line)


def _with_advice(error: errors.OpError, what: str) -> errors.OpError:
    message = (
        f"Restoring from checkpoint failed. This is most likely due to {what} from the checkpoint. "
        "Please ensure that you have not altered the graph expected based on the checkpoint. "
        f"Original error:\n\n{error.message}"
    )
    return type(error)(error.node_def, error.op, message)  # type: ignore[call-arg]


@export("train.export_meta_graph")
def export_meta_graph(
    filename: str | None = None,
    meta_info_def: Any = None,
    graph_def: Any = None,
    saver_def: Any = None,
    collection_list: Any = None,
    as_text: bool = False,
    graph: Any = None,
    export_scope: str | None = None,
    clear_devices: bool = False,
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
    save_debug_info: bool = False,
    **kwargs: Any,
) -> Any:
    """A MetaGraphDef: graph (or one scope of it), collections and saver; written to `filename`."""
    made, _ = meta_graph.export_scoped_meta_graph(
        filename=filename,
        meta_info_def=meta_info_def,
        graph_def=graph_def,
        saver_def=saver_def,
        collection_list=collection_list,
        as_text=as_text,
        graph=graph,
        export_scope=export_scope,
        clear_devices=clear_devices,
        clear_extraneous_savers=clear_extraneous_savers,
        strip_default_attrs=strip_default_attrs,
        save_debug_info=save_debug_info,
        **kwargs,
    )
    return made


def import_meta_graph_with_elements(
    meta_graph_or_file: Any,
    clear_devices: bool = False,
    import_scope: str | None = None,
    return_elements: Any = None,
    **kwargs: Any,
) -> tuple[Saver | None, Any]:
    """`import_meta_graph`, with the elements that `return_elements` names."""
    proto = meta_graph_or_file
    if not isinstance(proto, meta_graph.meta_graph_pb2.MetaGraphDef):
        proto = meta_graph.read_meta_graph_file(proto)
    variables, returned = meta_graph.import_scoped_meta_graph(
        proto,
        clear_devices=clear_devices,
        import_scope=import_scope,
        return_elements=return_elements,
        **kwargs,
    )
    if proto.HasField("saver_def"):
        scope = import_scope
        for name, variable in variables.items():
            scope = variable.name[: -len(name)]
            break
        return Saver(saver_def=proto.saver_def, name=scope), returned
    if all_saveable_objects(scope=import_scope):
        return Saver(), returned
    logging.info("Saver not created because there are no variables in the graph to restore")
    return None, returned


@export("train.import_meta_graph")
def import_meta_graph(
    meta_graph_or_file: Any,
    clear_devices: bool = False,
    import_scope: str | None = None,
    **kwargs: Any,
) -> Saver | None:
    """Add a MetaGraph (a proto or a file) to the default graph; a Saver for its variables.

    Gives None when it has no variables. OSError for a file that is missing or no MetaGraph.
    """
    return import_meta_graph_with_elements(
        meta_graph_or_file, clear_devices, import_scope, **kwargs
    )[0]


# -- checkpoints of tf.train.Checkpoint and Keras ------------------------------------------------


def object_graph_key_mapping(checkpoint_path: str) -> dict[str, str]:
    """Variable name -> key, of an object-based checkpoint; NotFoundError for another one."""
    reader = NewCheckpointReader(checkpoint_path)
    proto = trackable_object_graph_pb2.TrackableObjectGraph.FromString(
        reader.get_tensor(_OBJECT_GRAPH_KEY)
    )
    return {a.full_name: a.checkpoint_key for node in proto.nodes for a in node.attributes}


def saver_from_object_based_checkpoint(
    checkpoint_path: str,
    var_list: Any = None,
    builder: Any = None,
    names_to_keys: dict[str, str] | None = None,
    cached_saver: Saver | None = None,
) -> Saver:
    """A Saver that finds the variables of an object-based checkpoint by their names."""
    if names_to_keys is None:
        try:
            names_to_keys = object_graph_key_mapping(checkpoint_path)
        except errors.NotFoundError:
            raise ValueError(
                f"Checkpoint in {checkpoint_path} not an object-based checkpoint."
            ) from None
    items = saveables.validate_and_slice_inputs(
        all_saveable_objects() if var_list is None else var_list
    )
    current = {spec.name for item in items for spec in item.specs}
    missing = current - set(names_to_keys)
    if missing:
        extra = set(names_to_keys) - current
        raise errors.NotFoundError(
            None,
            None,
            "\n\nExisting variables not in the checkpoint: "
            + ", ".join(sorted(missing))
            + "\n\nVariables names when this checkpoint was written which don't exist now: "
            + ", ".join(sorted(extra))
            + f"\n\n({len(current) - len(missing)} variable name(s) did match)\n\n"
            "Could not find some variables in the checkpoint (see names above). It was written by "
            "tf.train.Checkpoint or tf.keras.Model.save_weights and is read by variable names: "
            "give the Saver a var_list with those variables that it holds, under their old names.",
        )
    for item in items:
        for spec in item.specs:
            spec.name = names_to_keys[spec.name]
    if cached_saver is not None:
        return cached_saver
    return Saver(items, builder=builder)


meta_graph.register_proto_function(
    GraphKeys.SAVERS, saver_pb2.SaverDef, Saver.to_proto, Saver.from_proto
)
