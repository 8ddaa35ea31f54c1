"""`tf.contrib.learn.preprocessing`: text and categories as ids."""

from relight.v1._missing import missing
from relight.v1.contrib.learn.preprocessing.categorical import CategoricalProcessor
from relight.v1.contrib.learn.preprocessing.categorical_vocabulary import CategoricalVocabulary
from relight.v1.contrib.learn.preprocessing.text import (
    TOKENIZER_RE,
    ByteProcessor,
    VocabularyProcessor,
    tokenizer,
)

__getattr__ = missing("tf.contrib.learn.preprocessing")

__all__ = [
    "TOKENIZER_RE",
    "ByteProcessor",
    "CategoricalProcessor",
    "CategoricalVocabulary",
    "VocabularyProcessor",
    "tokenizer",
]
