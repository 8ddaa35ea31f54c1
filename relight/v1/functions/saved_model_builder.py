"""Writing SavedModels: graphs with signatures, variables and further files, in a directory."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf import any_pb2, text_format
from tensorboard.compat.proto import meta_graph_pb2

from relight.formats.protos import SavedModel
from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.graph.node import Operation, Tensor
from relight.ops.files import told
from relight.v1 import logging
from relight.v1.functions import resources
from relight.v1.functions import saved_model_signatures as names
from relight.v1.functions.control import group
from relight.v1.functions.graph_io import write_atomically
from relight.v1.functions.variable_lists import (
    global_variables_initializer,
    local_variables_initializer,
)
from relight.v1.train.saver import Saver, all_saveable_objects

# AssetFileDef in a collection carries its type by name, which TensorFlow reads as its own.
ASSET_TYPE_URL = "type.googleapis.com/tensorflow.AssetFileDef"


def variables_path(export_dir: str) -> str:
    """The checkpoint of a SavedModel."""
    return os.path.join(export_dir, names.VARIABLES_DIRECTORY, names.VARIABLES_FILENAME)


def assets_dir(export_dir: str) -> str:
    """The directory of a SavedModel's further files."""
    return os.path.join(export_dir, names.ASSETS_DIRECTORY)


class SavedModelWriter:
    """What the public builder and the Estimator's share: assets are in the MetaGraph itself."""

    def __init__(self, export_dir: Any):
        export_dir = os.fsdecode(export_dir)
        self._saved_model = SavedModel(saved_model_schema_version=names.SAVED_MODEL_SCHEMA_VERSION)
        self._export_dir = export_dir
        if os.path.exists(export_dir):
            if os.listdir(export_dir):
                raise AssertionError(
                    "Export directory already exists, and isn't empty. Please choose a different "
                    "export directory, or delete all the contents of the specified directory: "
                    f"{export_dir}"
                )
        else:
            with told(export_dir):
                os.makedirs(export_dir)
        self._has_saved_variables = False

    # -- parts -----------------------------------------------------------------------------------

    def _tag_and_add(self, meta_graph: Any, tags: Sequence[str], signatures: dict | None) -> None:
        meta_graph.meta_info_def.tags.extend(tags)
        for key in signatures or ():
            meta_graph.signature_def[key].CopyFrom(signatures[key])  # type: ignore[index]
        self._saved_model.meta_graphs.add().CopyFrom(meta_graph)

    def _validate_tensor_info(self, info: Any) -> None:
        if info is None:
            raise AssertionError(
                "All TensorInfo protos used in the SignatureDefs must have the name and dtype "
                "fields set."
            )
        if info.WhichOneof("encoding") is None:
            raise AssertionError(
                "All TensorInfo protos used in the SignatureDefs must have one of the 'encoding' "
                f"fields (e.g., name or coo_sparse) set: {info}"
            )
        if info.dtype == 0:
            raise AssertionError(
                "All TensorInfo protos used in the SignatureDefs must have the dtype field set: "
                f"{info}"
            )

    def _validate_signatures(self, signatures: dict[str, Any]) -> None:
        for signature in signatures.values():
            for infos in (signature.inputs, signature.outputs):
                for key in infos:
                    self._validate_tensor_info(infos[key])
        for key, what in (
            (names.INIT_OP_SIGNATURE_KEY, "initialization"),
            (names.TRAIN_OP_SIGNATURE_KEY, "the train op"),
        ):
            if key in signatures:
                raise KeyError(
                    f'SignatureDef map key "{key}" is reserved for {what}. Please use a different '
                    "key."
                )

    def _saver(self, saver: Any) -> Any:
        return saver or Saver(all_saveable_objects(), sharded=True, allow_empty=True)

    def _save_variables(self, sess: Any, saver: Any) -> None:
        path = variables_path(self._export_dir)
        with told(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        saver.save(sess, path, write_meta_graph=False, write_state=False)

    def _check_order(self, first: bool) -> None:
        if first and self._has_saved_variables:
            raise AssertionError(
                "Graph state including variables and assets has already been saved. Please invoke "
                "`add_meta_graph()` instead."
            )
        if not first and not self._has_saved_variables:
            raise AssertionError(
                "Graph state including variables and assets has not been saved yet. Please invoke "
                "`add_meta_graph_and_variables()` first."
            )

    def _write_assets(self, add: Callable[[str, Tensor], None], assets: Any) -> None:
        found = _collect_assets(add, assets)
        if not found:
            logging.info("No assets to write.")
            return
        _copy_assets(found, self._export_dir)

    # -- adding ----------------------------------------------------------------------------------

    def _signatures_with_ops(self, signatures: Any, init_op: Any, train_op: Any) -> dict[str, Any]:
        signatures = signatures or {}
        self._validate_signatures(signatures)
        for key, op in (
            (names.INIT_OP_SIGNATURE_KEY, init_op),
            (names.TRAIN_OP_SIGNATURE_KEY, train_op),
        ):
            if op is not None:
                signatures[key] = names.op_signature_def(op, key)
        return signatures

    def _export(
        self, saver: Any, tags: Any, signatures: Any, assets: Any, clear: bool, strip: bool
    ) -> None:
        meta_graph = saver.export_meta_graph(clear_devices=clear, strip_default_attrs=strip)

        def add(filename: str, tensor: Tensor) -> None:
            asset = meta_graph.asset_file_def.add(filename=filename)
            asset.tensor_info.name = tensor.name

        self._write_assets(add, assets)
        self._tag_and_add(meta_graph, tags, signatures)

    def add_meta_graph(
        self, tags: Any, signature_def_map: Any = None, assets_list: Any = None,
        clear_devices: bool = False, init_op: Any = None, train_op: Any = None, saver: Any = None,
    ) -> None:  # fmt: skip
        """Add the default graph under other tags; the variables have been saved."""
        self._check_order(first=False)
        signatures = self._signatures_with_ops(signature_def_map, init_op, train_op)
        self._export(self._saver(saver), tags, signatures, assets_list, clear_devices, True)

    def add_meta_graph_and_variables(
        self, sess: Any, tags: Any, signature_def_map: Any = None, assets_list: Any = None,
        clear_devices: bool = False, init_op: Any = None, train_op: Any = None,
        strip_default_attrs: bool = False, saver: Any = None,
    ) -> None:  # fmt: skip
        """Add the default graph with its signatures, and save its variables."""
        self._check_order(first=True)
        signatures = self._signatures_with_ops(signature_def_map, init_op, train_op)
        saver = self._saver(saver)
        self._save_variables(sess, saver)
        self._export(saver, tags, signatures, assets_list, clear_devices, strip_default_attrs)
        self._has_saved_variables = True

    def save(self, as_text: bool = False) -> bytes:
        """Write `saved_model.pb` (or `.pbtxt`); its path, as bytes."""
        with told(self._export_dir):
            os.makedirs(self._export_dir, exist_ok=True)
        name = names.SAVED_MODEL_FILENAME_PBTXT if as_text else names.SAVED_MODEL_FILENAME_PB
        path = os.path.join(self._export_dir, name)
        proto = self._saved_model
        contents = text_format.MessageToString(proto).encode() if as_text else (
            proto.SerializeToString()
        )  # fmt: skip
        write_atomically(path, contents, sync=True)
        logging.info("SavedModel written to: %s", path)
        return os.fsencode(path)


@export("saved_model.Builder", "saved_model.builder.SavedModelBuilder")
class SavedModelBuilder(SavedModelWriter):
    """Writes a SavedModel to a new (or empty) directory.

    First `add_meta_graph_and_variables`, then `add_meta_graph` for the same model under other tags,
    then `save`. AssertionError when the directory is not empty or the order is another one.
    """

    def __init__(self, export_dir: Any):
        super().__init__(export_dir)

    def _add_collections(self, assets: Any, main_op: Any) -> None:
        def add(filename: str, tensor: Tensor) -> None:
            asset = meta_graph_pb2.AssetFileDef(filename=filename)
            asset.tensor_info.name = tensor.name
            packed = any_pb2.Any(type_url=ASSET_TYPE_URL, value=asset.SerializeToString())
            get_default_graph().add_to_collection(names.ASSETS_KEY, packed)

        self._write_assets(add, assets)
        if main_op is None:
            return
        if not isinstance(main_op, Operation):
            raise TypeError(f"main_op needs to be an Operation: {main_op!r}")
        graph = get_default_graph()
        for key in (names.MAIN_OP_KEY, names.LEGACY_INIT_OP_KEY):
            if graph.get_collection(key):
                raise ValueError(
                    f"Graph already contains one or more main ops under the collection {key}."
                )
        graph.add_to_collection(names.MAIN_OP_KEY, main_op)

    def add_meta_graph(  # type: ignore[override]
        self, tags: Any, signature_def_map: Any = None, assets_collection: Any = None,
        legacy_init_op: Any = None, clear_devices: bool = False, main_op: Any = None,
        strip_default_attrs: bool = False, saver: Any = None,
    ) -> None:  # fmt: skip
        """Add the default graph under other tags; the variables have been saved."""
        self._check_order(first=False)
        signatures = signature_def_map or {}
        self._validate_signatures(signatures)
        self._add_collections(assets_collection, main_op or legacy_init_op)
        meta_graph = self._saver(saver).export_meta_graph(
            clear_devices=clear_devices, strip_default_attrs=strip_default_attrs
        )
        self._tag_and_add(meta_graph, tags, signatures)

    def add_meta_graph_and_variables(  # type: ignore[override]
        self, sess: Any, tags: Any, signature_def_map: Any = None, assets_collection: Any = None,
        legacy_init_op: Any = None, clear_devices: bool = False, main_op: Any = None,
        strip_default_attrs: bool = False, saver: Any = None,
    ) -> None:  # fmt: skip
        """Add the default graph with its signatures, and save its variables.

        `assets_collection`: string constants with the names of files that are copied along;
        `main_op`: an operation that is run when the model is loaded.
        """
        self._check_order(first=True)
        signatures = signature_def_map or {}
        self._validate_signatures(signatures)
        self._add_collections(assets_collection, main_op or legacy_init_op)
        saver = self._saver(saver)
        self._save_variables(sess, saver)
        meta_graph = saver.export_meta_graph(
            clear_devices=clear_devices, strip_default_attrs=strip_default_attrs
        )
        self._tag_and_add(meta_graph, tags, signatures)
        self._has_saved_variables = True


# -- further files -------------------------------------------------------------------------------


def _asset_path(tensor: Any) -> str:
    if not isinstance(tensor, Tensor):
        raise TypeError("Asset path tensor must be a Tensor.")
    if tensor.op.type != "Const":
        raise TypeError("Asset path tensor must be of type constant.")
    if tensor.dtype != dtypes.string:
        raise TypeError("Asset path tensor must be of dtype string.")
    value = tensor.op._attrs["value"]
    if value.size != 1:
        raise TypeError("Asset path tensor must be a scalar.")
    return os.fsdecode(value.ravel()[0])


def _collect_assets(add: Callable[[str, Tensor], None], assets: Any) -> dict[str, str]:
    """{name in the SavedModel: file}; `add` notes each asset tensor with its name."""
    found: dict[str, str] = {}
    if assets is None:
        logging.info("No assets to save.")
        return found
    for tensor in assets:
        path = _asset_path(tensor)
        if not path:
            raise ValueError(f"Invalid asset filepath tensor {tensor}")
        name = base = os.path.basename(path)
        number = 1
        if name in found and found[name] != path:
            with told(path):
                same = filecmp.cmp(path, found[name], shallow=False)
            while not same and name in found:
                name = f"{base}_{number}"
                number += 1
        add(name, tensor)
        found[name] = path
    logging.info("Assets added to graph.")
    return found


def _copy_assets(found: dict[str, str], export_dir: str) -> None:
    folder = assets_dir(export_dir)
    with told(folder):
        os.makedirs(folder, exist_ok=True)
        for name, path in found.items():
            target = os.path.join(folder, name)
            if not os.path.exists(target):
                shutil.copyfile(path, target)
    logging.info("Assets written to: %s", folder)


# -- short ways ----------------------------------------------------------------------------------


@export("saved_model.simple_save")
def simple_save(
    session: Any, export_dir: Any, inputs: dict[str, Any], outputs: dict[str, Any],
    legacy_init_op: Any = None,
) -> None:  # fmt: skip
    """Write the graph and variables of a session as a SavedModel that predicts `outputs`."""
    builder = SavedModelBuilder(export_dir)
    signature = names.predict_signature_def(inputs, outputs)
    builder.add_meta_graph_and_variables(
        session,
        tags=[names.SERVING],
        signature_def_map={names.DEFAULT_SERVING_SIGNATURE_DEF_KEY: signature},
        assets_collection=get_default_graph().get_collection(GraphKeys.ASSET_FILEPATHS),
        main_op=legacy_init_op,
        clear_devices=True,
    )
    builder.save()


@export("saved_model.main_op.main_op")
def main_op() -> Operation:
    """An operation that initializes variables and tables, for `main_op`."""
    return group(
        global_variables_initializer(),
        local_variables_initializer(),
        resources.initialize_tables(),
    )


@export("saved_model.main_op_with_restore", "saved_model.main_op.main_op_with_restore")
def main_op_with_restore(restore_op_name: Any) -> Operation:
    """`main_op`, then a restoring operation."""
    with get_default_graph().control_dependencies([main_op()]):
        return group(restore_op_name)
