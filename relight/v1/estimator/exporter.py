"""`tf.estimator.Exporter`: what `train_and_evaluate` calls after an evaluation."""

from __future__ import annotations

import abc
from typing import Any

from relight.graph.export import export


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
