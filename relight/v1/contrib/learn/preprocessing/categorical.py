"""`CategoricalProcessor`: columns of categories as columns of ids."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from relight.v1.contrib.learn.preprocessing.categorical_vocabulary import CategoricalVocabulary

__all__ = ["CategoricalProcessor"]


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


class CategoricalProcessor:
    """Rows of categories as rows of ids; NaN is the unknown, 0.

    Args:
      min_frequency: categories that come this often or less are unknown.
      share: one vocabulary for all columns instead of one for each.
      vocabularies: a CategoricalVocabulary for each column, to start from.

    Attributes:
      vocabularies_: the vocabulary of each column, or None before the first row.
    """

    def __init__(
        self,
        min_frequency: int = 0,
        share: bool = False,
        vocabularies: list[CategoricalVocabulary] | None = None,
    ) -> None:
        self.min_frequency = min_frequency
        self.share = share
        self.vocabularies_ = vocabularies

    def freeze(self, freeze: bool = True) -> None:
        """Freezes the vocabularies, or lets them grow again."""
        for vocabulary in self.vocabularies_ or ():
            vocabulary.freeze(freeze)

    def fit(self, x: Iterable[Any], unused_y: Any = None) -> CategoricalProcessor:
        """Learns the categories of rows `x`, and no others from then on."""
        for row in x:
            if self.vocabularies_ is None:
                shared = CategoricalVocabulary()
                self.vocabularies_ = [
                    shared if self.share else CategoricalVocabulary() for _ in row
                ]
            for vocabulary, value in zip(self.vocabularies_, row, strict=False):
                if not _is_nan(value):
                    vocabulary.add(value)
        if self.min_frequency > 0:
            for vocabulary in self.vocabularies_ or ():
                vocabulary.trim(self.min_frequency)
        self.freeze()
        return self

    def fit_transform(self, x: Iterable[Any], unused_y: Any = None) -> Iterator[np.ndarray]:
        """`fit`, then `transform`, of the same rows."""
        self.fit(x)
        return self.transform(x)

    def transform(self, x: Iterable[Any]) -> Iterator[np.ndarray]:
        """The ids [columns], int64, of each row."""
        self.freeze()
        for row in x:
            pairs = zip(self.vocabularies_ or (), row, strict=False)
            ids = [0 if _is_nan(value) else vocabulary.get(value) for vocabulary, value in pairs]
            yield np.array(ids, dtype=np.int64)
