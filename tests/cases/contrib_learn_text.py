"""tf.contrib.learn.preprocessing: words, bytes and categories as ids."""

TEXTS = [
    "The quick brown fox, the LAZY dog.",
    "it's well-known: camelCaseWords HTTPServer x2",
    "",
    "\u00e9t\u00e9 the the quick dog dog dog",
]


def words(tf, np):
    processor = tf.contrib.learn.preprocessing.VocabularyProcessor(6)
    rows = np.array(list(processor.fit_transform(TEXTS)))
    later = np.array(list(processor.transform(["new quick words dog a b c d e f"])))
    return {
        "rows": rows,
        "later": later,
        "back": list(processor.reverse(rows)),
        "size": len(processor.vocabulary_),
        "tokens": list(tf.contrib.learn.preprocessing.tokenizer(TEXTS)),
    }


def words_often(tf, np):
    processor = tf.contrib.learn.preprocessing.VocabularyProcessor(
        4, min_frequency=1, tokenizer_fn=lambda texts: (text.split() for text in texts)
    )
    rows = np.array(list(processor.fit_transform(TEXTS)))
    return {"rows": rows, "back": list(processor.reverse(rows))}


def words_saved(tf, np):
    import os
    import tempfile

    path = os.path.join(tempfile.mkdtemp(), "vocab")
    processor = tf.contrib.learn.preprocessing.VocabularyProcessor(5, 1)
    processor.fit(TEXTS)
    processor.save(path)
    again = tf.contrib.learn.preprocessing.VocabularyProcessor.restore(path)
    return {
        "rows": np.array(list(again.transform(TEXTS))),
        "back": list(again.reverse([[0, 1, 2]])),
        "length": again.max_document_length,
    }


def byte_rows(tf, np):
    processor = tf.contrib.learn.preprocessing.ByteProcessor(8)
    rows = np.array(list(processor.fit_transform(["abc", b"defghijklm", "\u00e9\u00e9"])))
    return {"rows": rows, "back": list(processor.reverse(rows))}


def categories(tf, np):
    rows = [["a", 1.0], ["b", float("nan")], ["a", 2.0], ["c", 1.0]]
    make = tf.contrib.learn.preprocessing.CategoricalProcessor
    often = make(min_frequency=1)
    return {
        "each": np.array(list(make().fit_transform(rows))),
        "shared": np.array(list(make(share=True).fit_transform([["a", "b"], ["b", "c"]]))),
        "often": np.array(list(often.fit_transform(rows))),
        "later": np.array(list(often.transform([["a", 5.0], ["z", 1.0]]))),
    }


def vocabulary(tf, np):
    found = tf.contrib.learn.preprocessing.CategoricalVocabulary(unknown_token="?")
    for word, count in (("x", 3), ("y", 1), ("z", 3), (7, 3), ("w", 9)):
        found.add(word, count)
    before = [found.get(word) for word in ("x", "y", "z", 7, "w", "new")]
    found.trim(1, max_frequency=9)
    found.freeze()
    after = [found.get(word) for word in ("x", "y", "z", 7, "w", "other")]
    return {"before": before, "after": after, "size": len(found), "first": str(found.reverse(1))}


def vocabulary_one_way(tf, np):
    tf.contrib.learn.preprocessing.CategoricalVocabulary(support_reverse=False).reverse(0)
