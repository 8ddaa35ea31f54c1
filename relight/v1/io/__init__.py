# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.io`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.files import (
    matching_files, read_file, write_file,
)
from relight.v1.functions.graph_io import (
    write_graph,
)
from relight.v1.functions.image_adjust import (
    decode_and_crop_jpeg, decode_bmp, decode_gif, decode_image, decode_jpeg, decode_png,
    encode_jpeg, extract_jpeg_shape, is_jpeg,
)
from relight.v1.functions.parsing import (
    FixedLenFeature, FixedLenSequenceFeature, SparseFeature, VarLenFeature, decode_compressed,
    decode_csv, decode_json_example, decode_raw, parse_example, parse_sequence_example,
    parse_single_example, parse_single_sequence_example, parse_tensor, serialize_tensor,
)
from relight.v1.functions.queues import (
    PaddingFIFOQueue, PriorityQueue, QueueBase, RandomShuffleQueue,
)
from relight.v1.functions.sparse import (
    deserialize_many_sparse, serialize_many_sparse, serialize_sparse,
)
from relight.v1.functions.strings import (
    decode_base64, encode_base64,
)
from relight.v1.io import (
    gfile,
)
from relight.v1.io.tf_record import (
    TFRecordCompressionType, TFRecordOptions, TFRecordWriter, tf_record_iterator,
)
from relight.v1.train.input import (
    match_filenames_once,
)

__getattr__ = missing("tf.io")

__all__ = [
    "FixedLenFeature", "FixedLenSequenceFeature", "PaddingFIFOQueue", "PriorityQueue",
    "QueueBase", "RandomShuffleQueue", "SparseFeature", "TFRecordCompressionType",
    "TFRecordOptions", "TFRecordWriter", "VarLenFeature", "decode_and_crop_jpeg", "decode_base64",
    "decode_bmp", "decode_compressed", "decode_csv", "decode_gif", "decode_image", "decode_jpeg",
    "decode_json_example", "decode_png", "decode_raw", "deserialize_many_sparse", "encode_base64",
    "encode_jpeg", "extract_jpeg_shape", "gfile", "is_jpeg", "match_filenames_once",
    "matching_files", "parse_example", "parse_sequence_example", "parse_single_example",
    "parse_single_sequence_example", "parse_tensor", "read_file", "serialize_many_sparse",
    "serialize_sparse", "serialize_tensor", "tf_record_iterator", "write_file", "write_graph",
]
