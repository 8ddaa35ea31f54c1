"""Files of `VocabularyProcessor`: no pickles, in or out."""

from __future__ import annotations

import pickle

import pytest

from relight.v1.contrib.learn import preprocessing


def test_a_tokenizer_of_its_own_cannot_be_saved(tmp_path):
    processor = preprocessing.VocabularyProcessor(3, tokenizer_fn=lambda texts: texts)
    with pytest.raises(ValueError, match="tokenizer"):
        processor.save(str(tmp_path / "vocab"))
    assert not (tmp_path / "vocab").exists()


@pytest.mark.parametrize("content", [pickle.dumps({"a": 1}), b"", b"[1]", b'{"format": "other"}'])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "vocab"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is no vocabulary"):
        preprocessing.VocabularyProcessor.restore(str(path))
