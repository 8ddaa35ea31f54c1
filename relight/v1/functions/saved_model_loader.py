"""Reading SavedModels into a session."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import DecodeError
from tensorboard.compat.proto import meta_graph_pb2

from relight.formats.protos import SavedModel
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.v1 import logging
from relight.v1.functions import saved_model_signatures as names
from relight.v1.functions.saved_model_builder import assets_dir, variables_path
from relight.v1.train.saver import Saver, all_saveable_objects, import_meta_graph_with_elements


def parse_saved_model(export_dir: Any) -> Any:
    """The SavedModel proto of a directory. OSError when it is missing or malformed."""
    folder = os.fsdecode(export_dir)
    binary = os.path.join(folder, names.SAVED_MODEL_FILENAME_PB)
    text = os.path.join(folder, names.SAVED_MODEL_FILENAME_PBTXT)
    if os.path.exists(binary):
        with open(binary, "rb") as file:
            contents = file.read()
        try:
            return SavedModel.FromString(contents)
        except DecodeError as error:
            raise OSError(f"Cannot parse file {binary}: {error}.") from None
    if os.path.exists(text):
        with open(text, "rb") as file:
            contents = file.read()
        try:
            return text_format.Merge(contents.decode("utf-8"), SavedModel())
        except (text_format.ParseError, UnicodeDecodeError) as error:
            raise OSError(f"Cannot parse file {text}: {error}.") from None
    raise OSError(
        f"SavedModel file does not exist at: {folder}/{{{names.SAVED_MODEL_FILENAME_PBTXT}|"
        f"{names.SAVED_MODEL_FILENAME_PB}}}"
    )


@export(
    "saved_model.contains_saved_model",
    "saved_model.maybe_saved_model_directory",
    "saved_model.loader.maybe_saved_model_directory",
)
def maybe_saved_model_directory(export_dir: Any) -> bool:
    """Whether a directory holds a SavedModel."""
    folder = os.fsdecode(export_dir)
    return any(
        os.path.exists(os.path.join(folder, name))
        for name in (names.SAVED_MODEL_FILENAME_PBTXT, names.SAVED_MODEL_FILENAME_PB)
    )


def asset_feeds(export_dir: str, meta_graph: Any, import_scope: str | None = None) -> dict:
    """{tensor name: path}: what asset tensors are to be where the model lies now."""
    assets = list(meta_graph.asset_file_def)
    if not assets and names.ASSETS_KEY in meta_graph.collection_def:
        for packed in meta_graph.collection_def[names.ASSETS_KEY].any_list.value:
            if not packed.type_url.endswith(".AssetFileDef"):
                raise ValueError(f"an asset of the SavedModel has the type {packed.type_url!r}")
            assets.append(meta_graph_pb2.AssetFileDef.FromString(packed.value))
    folder = assets_dir(export_dir)
    feeds = {}
    for asset in assets:
        if os.path.basename(asset.filename) != asset.filename:
            raise ValueError(f"asset {asset.filename!r} lies outside of {folder}")
        name = asset.tensor_info.name
        feeds[f"{import_scope}/{name}" if import_scope else name] = os.path.join(
            folder, asset.filename
        )
    return feeds


def init_op_of(meta_graph: Any, import_scope: str | None = None) -> Any:
    """The operation that a loaded model wants run, or None."""
    key = names.INIT_OP_SIGNATURE_KEY
    if key in meta_graph.signature_def:
        return names.load_op_from_signature_def(meta_graph.signature_def[key], key, import_scope)
    for key in (names.MAIN_OP_KEY, names.LEGACY_INIT_OP_KEY):
        if key not in meta_graph.collection_def:
            continue
        found = meta_graph.collection_def[key].node_list.value
        if len(found) != 1:
            raise RuntimeError(f"Expected exactly one SavedModel init op. Found: {list(found)}")
        return get_default_graph().get_collection(key)[0]
    return None


class SavedModelLoader:
    """Loads the graphs and variables of a SavedModel."""

    def __init__(self, export_dir: Any):
        self._export_dir = os.fsdecode(export_dir)
        self._variables_path = variables_path(self._export_dir)
        self._saved_model = parse_saved_model(self._export_dir)

    @property
    def export_dir(self) -> str:
        """The directory."""
        return self._export_dir

    @property
    def variables_path(self) -> str:
        """The checkpoint."""
        return self._variables_path

    @property
    def saved_model(self) -> Any:
        """The proto."""
        return self._saved_model

    def get_meta_graph_def_from_tags(self, tags: Sequence[str]) -> Any:
        """The MetaGraph with exactly these tags; RuntimeError when there is none."""
        available = []
        for meta_graph in self._saved_model.meta_graphs:
            own = set(meta_graph.meta_info_def.tags)
            available.append(own)
            if own == set(tags):
                return meta_graph
        shown = str(tags).strip("[]")
        raise RuntimeError(
            f"MetaGraphDef associated with tags {shown} could not be found in SavedModel. To "
            "inspect available tag-sets in the SavedModel, please use the SavedModel CLI: "
            f"`saved_model_cli`\navailable_tags: {available}"
        )

    def load_graph(
        self, graph: Any, tags: Sequence[str], import_scope: str | None = None, **saver_kwargs: Any
    ) -> tuple[Any, Any]:
        """Add the graph: (Saver or None, returned elements)."""
        meta_graph = self.get_meta_graph_def_from_tags(tags)
        with graph.as_default():
            return import_meta_graph_with_elements(
                meta_graph, import_scope=import_scope, **saver_kwargs
            )

    def restore_variables(self, sess: Any, saver: Any, import_scope: str | None = None) -> None:
        """Set the variables."""
        with sess.graph.as_default():
            if saver is None and not all_saveable_objects(scope=import_scope):
                logging.info(
                    "The specified SavedModel has no variables; no checkpoints were restored."
                )
            elif isinstance(saver, Saver):
                saver.restore(sess, self._variables_path)
            else:
                raise ValueError(
                    "No tf.train.Saver object was passed to the function "
                    "SavedModelLoader.restore_variables. Since there are variables in the graph, a "
                    "saver is required."
                )

    def run_init_ops(self, sess: Any, tags: Sequence[str], import_scope: str | None = None) -> None:
        """Run what the model wants run, with its further files found where they are now."""
        meta_graph = self.get_meta_graph_def_from_tags(tags)
        with sess.graph.as_default():
            feeds = asset_feeds(self._export_dir, meta_graph, import_scope)
            init_op = init_op_of(meta_graph, import_scope)
            if init_op is not None:
                sess.run([init_op], feed_dict=feeds)

    def load(
        self, sess: Any, tags: Sequence[str], import_scope: str | None = None, **saver_kwargs: Any
    ) -> Any:
        """Add the graph to the session's, set its variables, run its init operation."""
        with sess.graph.as_default():
            saver, _ = self.load_graph(sess.graph, tags, import_scope, **saver_kwargs)
            self.restore_variables(sess, saver, import_scope)
            self.run_init_ops(sess, tags, import_scope)
        return self.get_meta_graph_def_from_tags(tags)


@export("saved_model.load", "saved_model.loader.load")
def load(
    sess: Any, tags: Sequence[str], export_dir: Any, import_scope: str | None = None,
    **saver_kwargs: Any,
) -> Any:  # fmt: skip
    """Load the MetaGraph with exactly these tags into a session; it is returned.

    OSError when there is no SavedModel, RuntimeError when it has no such tags.
    """
    return SavedModelLoader(export_dir).load(sess, tags, import_scope, **saver_kwargs)
