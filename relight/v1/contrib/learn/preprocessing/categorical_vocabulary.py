"""`CategoricalVocabulary`: categories (words, numbers) as ids counted from 1; 0 is the unknown."""

from __future__ import annotations

import collections
from typing import Any

__all__ = ["CategoricalVocabulary"]


class CategoricalVocabulary:
    """Gives each category an id, in the order of their coming, and counts them.

    Args:
      unknown_token: what id 0 stands for.
      support_reverse: keep what `reverse` needs.
    """

    def __init__(self, unknown_token: str = "<UNK>", support_reverse: bool = True) -> None:
        self._unknown_token = unknown_token
        self._support_reverse = support_reverse
        self._mapping: dict[Any, int] = {unknown_token: 0}
        self._categories: list[Any] = [unknown_token]
        self._freq: dict[Any, int] = collections.defaultdict(int)
        self._freeze = False

    def __len__(self) -> int:
        return len(self._mapping)

    def freeze(self, freeze: bool = True) -> None:
        """From now on new categories get the unknown's id; with False, ids of their own again."""
        self._freeze = freeze

    def get(self, category: Any) -> int:
        """The id of a category; a new one unless the vocabulary is frozen."""
        found = self._mapping.get(category)
        if found is None:
            if self._freeze:
                return 0
            found = self._mapping[category] = len(self._mapping)
            self._categories.append(category)
        return found

    def add(self, category: Any, count: int = 1) -> None:
        """Counts a category `count` times more; the unknown is not counted."""
        if self.get(category) > 0:
            self._freq[category] += count

    def trim(self, min_frequency: int, max_frequency: int = -1) -> None:
        """Keeps categories counted more than `min_frequency` times, the most frequent first.

        Categories counted `max_frequency` times or more are dropped too, when that is positive.
        Equally frequent ones keep the order of the alphabet, with numbers before strings.
        """
        ordered = sorted(self._freq.items(), key=lambda item: (isinstance(item[0], str), item[0]))
        ordered.sort(key=lambda item: item[1], reverse=True)
        self._mapping = {self._unknown_token: 0}
        self._categories = [self._unknown_token]
        for category, count in ordered:
            if max_frequency > 0 and count >= max_frequency:
                continue
            if count <= min_frequency:
                break
            self._mapping[category] = len(self._mapping)
            self._categories.append(category)
        # As in TensorFlow: as many counts as there are categories left, of the most frequent ones.
        self._freq = dict(ordered[: len(self._mapping) - 1])

    def reverse(self, class_id: int) -> Any:
        """The category with an id. ValueError without `support_reverse`."""
        if not self._support_reverse:
            raise ValueError(
                "This vocabulary wasn't initialized with support_reverse to support reverse() "
                "function."
            )
        return self._categories[class_id]

    def _state(self) -> dict[str, Any]:
        """All that makes the vocabulary, as JSON can hold it."""
        return {
            "unknown_token": self._unknown_token,
            "support_reverse": self._support_reverse,
            "categories": self._categories[1:],
            "counts": [[category, count] for category, count in self._freq.items()],
            "frozen": self._freeze,
        }

    @classmethod
    def _from_state(cls, state: dict[str, Any]) -> CategoricalVocabulary:
        made = cls(state["unknown_token"], state["support_reverse"])
        for category in state["categories"]:
            made.get(category)
        made._freq.update((category, count) for category, count in state["counts"])
        made._freeze = state["frozen"]
        return made
