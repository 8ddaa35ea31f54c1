"""Documents as rows of ids: of words, or of bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from relight.v1 import gfile
from relight.v1.contrib.learn.preprocessing.categorical_vocabulary import CategoricalVocabulary

__all__ = ["TOKENIZER_RE", "ByteProcessor", "VocabularyProcessor", "tokenizer"]

# Acronyms, the capitalised parts of CamelCase, and everything else of letters, digits, ' and -.
TOKENIZER_RE = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+(?=[A-Z])|[\'\w\-]+", re.UNICODE)

_FORMAT = "relight VocabularyProcessor 1"


def tokenizer(iterator: Iterable[str]) -> Iterator[list[str]]:
    """The words of each document."""
    for value in iterator:
        yield TOKENIZER_RE.findall(value)


class ByteProcessor:
    """Documents as their bytes, `max_document_length` of them, padded with zeros."""

    def __init__(self, max_document_length: int) -> None:
        self.max_document_length = max_document_length

    def fit(self, x: Any) -> None:
        """There is nothing to learn."""

    def fit_transform(self, x: Any) -> Iterator[np.ndarray]:
        """The same as `transform`."""
        return self.transform(x)

    def reverse(self, x: Iterable[np.ndarray]) -> Iterator[str]:
        """The text of each row of bytes; empty where it is no UTF-8."""
        for data in x:
            try:
                yield np.trim_zeros(data.astype(np.int8), trim="b").tobytes().decode("utf-8")
            except UnicodeDecodeError:
                yield ""

    def transform(self, x: Iterable[Any]) -> Iterator[np.ndarray]:
        """The bytes [max_document_length], uint8, of each document, text or bytes."""
        for document in x:
            raw = document.encode("utf-8") if isinstance(document, str) else document
            row = np.frombuffer(raw[: self.max_document_length], np.uint8)
            yield np.pad(row, (0, self.max_document_length - len(row)), "constant")


class VocabularyProcessor:
    """Documents as the ids of their words, `max_document_length` of them, padded with zeros.

    Args:
      max_document_length: the number of ids a document has.
      min_frequency: words that come this often or less are unknown.
      vocabulary: a CategoricalVocabulary to start from.
      tokenizer_fn: makes of an iterable of documents one of lists of words.

    Attributes:
      vocabulary_: the vocabulary.
    """

    def __init__(
        self,
        max_document_length: int,
        min_frequency: int = 0,
        vocabulary: Any = None,
        tokenizer_fn: Callable[[Iterable[str]], Iterable[list[str]]] | None = None,
    ) -> None:
        self.max_document_length = max_document_length
        self.min_frequency = min_frequency
        self.vocabulary_ = vocabulary or CategoricalVocabulary()
        self._tokenizer = tokenizer_fn or tokenizer

    def fit(self, raw_documents: Iterable[str], unused_y: Any = None) -> VocabularyProcessor:
        """Learns the words of the documents, and no others from then on."""
        for tokens in self._tokenizer(raw_documents):
            for token in tokens:
                self.vocabulary_.add(token)
        if self.min_frequency > 0:
            self.vocabulary_.trim(self.min_frequency)
        self.vocabulary_.freeze()
        return self

    def fit_transform(
        self, raw_documents: Iterable[str], unused_y: Any = None
    ) -> Iterator[np.ndarray]:
        """`fit`, then `transform`, of the same documents."""
        self.fit(raw_documents)
        return self.transform(raw_documents)

    def transform(self, raw_documents: Iterable[str]) -> Iterator[np.ndarray]:
        """The ids [max_document_length], int64, of each document's words."""
        for tokens in self._tokenizer(raw_documents):
            ids = np.zeros(self.max_document_length, np.int64)
            for i, token in enumerate(tokens[: self.max_document_length]):
                ids[i] = self.vocabulary_.get(token)
            yield ids

    def reverse(self, documents: Iterable[Iterable[int]]) -> Iterator[str]:
        """The words of each row of ids, joined by spaces."""
        for item in documents:
            yield " ".join(self.vocabulary_.reverse(class_id) for class_id in item)

    def save(self, filename: Any) -> None:
        """Writes the processor to a file that `restore` reads.

        The file is JSON, not a pickle as TensorFlow writes: reading it runs no code of its own.

        Raises:
          ValueError: for a tokenizer or a vocabulary of another class, which no file can hold.
        """
        if self._tokenizer is not tokenizer or type(self.vocabulary_) is not CategoricalVocabulary:
            raise ValueError(
                "A VocabularyProcessor with a tokenizer or a vocabulary of its own cannot be saved."
            )
        state = {
            "format": _FORMAT,
            "max_document_length": self.max_document_length,
            "min_frequency": self.min_frequency,
            "vocabulary": self.vocabulary_._state(),
        }
        with gfile.GFile(filename, "w") as file:
            file.write(json.dumps(state))

    @classmethod
    def restore(cls, filename: Any) -> VocabularyProcessor:
        """Reads what `save` has written. ValueError for another file."""
        with gfile.GFile(filename, "rb") as file:
            data = file.read()
        try:
            state = json.loads(data)
        except ValueError:
            state = None
        if not isinstance(state, dict) or state.get("format") != _FORMAT:
            raise ValueError(
                f"{filename} is no vocabulary that relight saved (a pickle of TensorFlow's is not "
                "read, for it could run code)."
            )
        vocabulary = CategoricalVocabulary._from_state(state["vocabulary"])
        return cls(state["max_document_length"], state["min_frequency"], vocabulary)
