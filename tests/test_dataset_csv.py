"""`tf.data.experimental.CsvDataset` and `make_csv_dataset`; what they give was compared with
TensorFlow 1.15 on the same files."""

import gzip

import pytest

import relight.v1 as tf


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a1.csv").write_text('x,y,name,w\n1,2.5,"a, ""b""",\n3,4,"two\nlines",9\n')
    (tmp_path / "a2.csv").write_text("x,y,name,w\n5,6.5,plain,8\n,7,q,5000000000\n")
    with tf.Graph().as_default():
        yield [str(tmp_path / "a1.csv"), str(tmp_path / "a2.csv")]


def elements(dataset):
    value = dataset.make_one_shot_iterator().get_next()
    found = []
    with tf.Session() as session:
        try:
            while True:
                found.append(session.run(value))
        except tf.errors.OutOfRangeError:
            return found


def test_records(files):
    dataset = tf.data.experimental.CsvDataset(
        files, [[0], tf.float32, tf.string], header=True, select_cols=[0, 1, 2]
    )
    assert dataset.output_types == (tf.int32, tf.float32, tf.string)
    assert elements(dataset) == [
        (1, 2.5, b'a, "b"'), (3, 4.0, b"two\nlines"), (5, 6.5, b"plain"), (0, 7.0, b"q"),
    ]  # fmt: skip


def test_a_wrong_record_and_the_next(files):
    dataset = tf.data.experimental.CsvDataset(
        files[0], [tf.int32] * 2, header=True, select_cols=[0, 3]
    )
    value = dataset.make_one_shot_iterator().get_next()
    with tf.Session() as session:
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=r"Field 1 is required.*record 0 of .*a1\.csv"
        ):
            session.run(value)
        assert session.run(value) == (3, 9)


def test_a_zipped_file_without_a_header(tmp_path):
    path = tmp_path / "f.gz"
    path.write_bytes(gzip.compress(b"1;NA\r\n2;-4\r\n"))
    with tf.Graph().as_default():
        dataset = tf.data.experimental.CsvDataset(
            str(path), [tf.int64, [7.0]], "GZIP", field_delim=";", na_value="NA"
        )
        assert elements(dataset) == [(1, 7.0), (2, -4.0)]


def test_batches_with_inferred_columns(files):
    dataset = tf.data.experimental.make_csv_dataset(
        files, 3, label_name="w", num_epochs=1, shuffle=False
    )
    (first, labels), (second, _) = elements(dataset)
    assert list(first) == ["x", "y", "name"]
    assert first["x"].tolist() == [1, 3, 5] and labels.tolist() == [0, 9, 8]
    assert labels.dtype == "int64" and first["y"].dtype == "float32"
    assert second["name"].tolist() == [b"q"] and second["x"].tolist() == [0]


def test_shuffled_epochs(files):
    dataset = tf.data.experimental.make_csv_dataset(
        files, 2, select_columns=["y"], num_epochs=3, shuffle_seed=2
    )
    rows = [v for e in elements(dataset) for v in e["y"].tolist()]
    assert sorted(rows) == sorted([2.5, 4.0, 6.5, 7.0] * 3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"label_name": "z"}, "label_name"),
        ({"select_columns": [9]}, "out of valid range"),
        ({"select_columns": ["x", 0]}, "duplicate"),
        ({"select_columns": ["no"]}, "not a valid column"),
        ({"header": False}, "without a header"),
        ({"column_names": ["a", "a"]}, "duplicate column names"),
        ({"select_columns": [0], "column_defaults": [[0], [1]]}, "same length"),
    ],
)
def test_arguments_that_do_not_fit(files, settings, message):
    with pytest.raises(ValueError, match=message):
        tf.data.experimental.make_csv_dataset(files, 2, **settings)


def test_no_files(tmp_path):
    with pytest.raises(ValueError, match="No files match"):
        tf.data.experimental.make_csv_dataset(str(tmp_path / "*.csv"), 2)
