"""`tf.estimator.Exporter`s: what `train_and_evaluate` calls after an evaluation."""

from __future__ import annotations

import abc
import glob
import os
import shutil
from typing import Any

from relight.graph.export import export
from relight.v1 import logging
from relight.v1.estimator.util import fn_args
from relight.v1.summary.writer import summary_iterator


@export("estimator.Exporter")
class Exporter(abc.ABC):
    """Exports a model after an evaluation."""

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """The directory under `export/`, different for each exporter."""

    @abc.abstractmethod
    def export(
        self,
        estimator: Any,
        export_path: str,
        checkpoint_path: str,
        eval_result: dict[str, Any],
        is_the_final_export: bool,
    ) -> Any:
        """Export `checkpoint_path` below `export_path`; the directory made, or None."""


class _SavedModelExporter(Exporter):
    """Writes a SavedModel each time, and keeps the newest ones."""

    def __init__(
        self,
        name: str,
        serving_input_receiver_fn: Any,
        assets_extra: Any = None,
        as_text: bool = False,
        exports_to_keep: int | None = None,
    ):
        self._name = name
        self._serving_input_receiver_fn = serving_input_receiver_fn
        self._assets_extra = assets_extra
        self._as_text = as_text
        self._exports_to_keep = exports_to_keep

    @property
    def name(self) -> str:
        """The directory under `export/`."""
        return self._name

    def export(
        self, estimator: Any, export_path: str, checkpoint_path: str, eval_result: Any,
        is_the_final_export: bool,
    ) -> Any:  # fmt: skip
        """Export, and delete the oldest exports."""
        found = estimator.export_saved_model(
            export_path,
            self._serving_input_receiver_fn,
            assets_extra=self._assets_extra,
            as_text=self._as_text,
            checkpoint_path=checkpoint_path,
        )
        if self._exports_to_keep is not None:
            stamps = [n for n in os.listdir(export_path) if len(n) == 10 and n.isdigit()]
            for old in sorted(stamps)[: -self._exports_to_keep]:
                path = os.path.join(export_path, old)
                try:
                    shutil.rmtree(path)
                except FileNotFoundError as error:
                    logging.warning("Can not delete %s recursively: %s", path, error)
        return found


@export("estimator.FinalExporter")
class FinalExporter(_SavedModelExporter):
    """Exports once, when training is done."""

    def __init__(
        self,
        name: str,
        serving_input_receiver_fn: Any,
        assets_extra: Any = None,
        as_text: bool = False,
    ):
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text)

    def export(
        self, estimator: Any, export_path: str, checkpoint_path: str, eval_result: Any,
        is_the_final_export: bool,
    ) -> Any:  # fmt: skip
        """Export at the end; None before."""
        if not is_the_final_export:
            return None
        logging.info("Performing the final export in the end of training.")
        return super().export(
            estimator, export_path, checkpoint_path, eval_result, is_the_final_export
        )


@export("estimator.LatestExporter")
class LatestExporter(_SavedModelExporter):
    """Exports after each evaluation and keeps the `exports_to_keep` newest (None: all)."""

    def __init__(
        self,
        name: str,
        serving_input_receiver_fn: Any,
        assets_extra: Any = None,
        as_text: bool = False,
        exports_to_keep: int | None = 5,
    ):
        if exports_to_keep is not None and exports_to_keep <= 0:
            raise ValueError("`exports_to_keep`, if provided, must be positive number")
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text, exports_to_keep)


def _loss_smaller(best_eval_result: Any, current_eval_result: Any) -> bool:
    """Whether the current loss is below the best one."""
    for name, result in (
        ("best_eval_result", best_eval_result),
        ("current_eval_result", current_eval_result),
    ):
        if not result or "loss" not in result:
            raise ValueError(f"{name} cannot be empty or no loss is found in it.")
    return best_eval_result["loss"] > current_eval_result["loss"]


@export("estimator.BestExporter")
class BestExporter(_SavedModelExporter):
    """Exports when an evaluation is better than all before.

    `compare_fn(best_eval_result=, current_eval_result=)` tells whether the current one is; by
    default when the loss is smaller. Earlier evaluations are read from `event_file_pattern` below
    the model's directory.
    """

    def __init__(
        self,
        name: str = "best_exporter",
        serving_input_receiver_fn: Any = None,
        event_file_pattern: str | None = "eval/*.tfevents.*",
        compare_fn: Any = _loss_smaller,
        assets_extra: Any = None,
        as_text: bool = False,
        exports_to_keep: int | None = 5,
    ):
        if compare_fn is None:
            raise ValueError("`compare_fn` must not be None.")
        names = set(fn_args(compare_fn))
        wanted = {"best_eval_result", "current_eval_result"}
        for missing in sorted(wanted - names):
            raise ValueError(f"compare_fn ({compare_fn}) must include {missing} argument.")
        if names - wanted:
            raise ValueError(
                f"compare_fn ({compare_fn}) has following not expected args: {list(names - wanted)}"
            )
        if exports_to_keep is not None and exports_to_keep <= 0:
            raise ValueError(
                f"`exports_to_keep`, if provided, must be a positive number. Got {exports_to_keep}"
            )
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text, exports_to_keep)
        self._compare_fn = compare_fn
        self._event_file_pattern = event_file_pattern
        self._model_dir: str | None = None
        self._best: Any = None

    def export(
        self, estimator: Any, export_path: str, checkpoint_path: str, eval_result: Any,
        is_the_final_export: bool,
    ) -> Any:  # fmt: skip
        """Export when this evaluation is the best; else None."""
        if self._model_dir != estimator.model_dir and self._event_file_pattern:
            logging.info("Loading best metric from event files.")
            self._model_dir = estimator.model_dir
            self._best = self._best_of_files(
                os.path.join(estimator.model_dir, self._event_file_pattern)
            )
        if self._best is not None and not self._compare_fn(
            best_eval_result=self._best, current_eval_result=eval_result
        ):
            return None
        logging.info("Performing best model export.")
        self._best = eval_result
        return super().export(
            estimator, export_path, checkpoint_path, eval_result, is_the_final_export
        )

    def _best_of_files(self, pattern: str) -> Any:
        best = None
        for path in sorted(glob.glob(pattern)):
            for event in summary_iterator(path):
                found = {
                    value.tag: value.simple_value
                    for value in event.summary.value
                    if value.WhichOneof("value") == "simple_value"
                }
                if found and (best is None or self._compare_fn(best, found)):
                    best = found
        return best
