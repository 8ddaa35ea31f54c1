"""`tf.strings`: hashes, numbers, patterns, parts, joins, base 64, Unicode."""

CASES = {}


def _case(name, build):
    CASES[name] = lambda tf, np: {"y": build(tf)}


_WORDS = ["", "a", "hello", "the quick brown fox", "x" * 40, "y" * 70, "h\u00e9llo"]

_SPECS = {
    "hash_fast": lambda tf: tf.string_to_hash_bucket_fast(_WORDS, 1000),
    "hash": lambda tf: tf.string_to_hash_bucket(_WORDS, 1000),
    "hash_strong": lambda tf: tf.string_to_hash_bucket_strong(_WORDS, 1000, [123, 456]),
    "hash_matrix": lambda tf: tf.strings.to_hash_bucket([["a"], ["b"]], 10),
    "as_string_float": lambda tf: tf.as_string([1.5, 0.1, 1e10, float("nan"), -float("inf")]),
    "as_string_double": lambda tf: tf.as_string(tf.constant([0.1], tf.float64)),
    "as_string_precision": lambda tf: tf.as_string([1.5], precision=2),
    "as_string_scientific": lambda tf: tf.as_string([1.5], scientific=True),
    "as_string_shortest": lambda tf: tf.as_string([1.5e-7, 1234567.0], shortest=True),
    "as_string_width": lambda tf: tf.as_string([1, -22], width=5),
    "as_string_zeros": lambda tf: tf.as_string([1, -22], width=5, fill="0"),
    "as_string_left": lambda tf: tf.as_string([1.5], width=10, fill="-"),
    "as_string_bool": lambda tf: tf.as_string([True, False]),
    "as_string_complex": lambda tf: tf.as_string([1 + 2j]),
    "as_string_int_precision": lambda tf: tf.as_string([1], precision=2),
    "as_string_int8": lambda tf: tf.as_string(tf.constant([3], tf.int8)),
    "as_string_both": lambda tf: tf.as_string([1.5], scientific=True, shortest=True),
    "as_string_all": lambda tf: tf.as_string(
        [1.5], scientific=True, precision=3, width=12, fill="0"
    ),
    "to_number": lambda tf: tf.string_to_number(["1.5", "-2e3", "  7 ", "inf", "nan", "0x10"]),
    "to_number_int": lambda tf: tf.string_to_number(["12", " -3 "], tf.int32),
    "to_number_int64": lambda tf: tf.strings.to_number(["9999999999"], tf.int64),
    "to_number_double": lambda tf: tf.string_to_number(["1e-300", "1e400"], tf.float64),
    "to_number_bad": lambda tf: tf.string_to_number(["a"]),
    "to_number_empty": lambda tf: tf.string_to_number([""]),
    "to_number_fraction": lambda tf: tf.string_to_number(["1.5"], tf.int32),
    "to_number_large": lambda tf: tf.string_to_number(["99999999999"], tf.int32),
    "substr": lambda tf: tf.substr(["hello", "wor"], 1, 2),
    "substr_each": lambda tf: tf.substr(["hello", "wor"], [1, -2], [2, 5]),
    "substr_scalar": lambda tf: tf.substr("hello", [1, 2], [1, 1]),
    "substr_utf8": lambda tf: tf.strings.substr(["h\u00e9llo"], 1, 2, unit="UTF8_CHAR"),
    "substr_out": lambda tf: tf.substr(["hello", "wor"], 4, 2),
    "substr_negative_out": lambda tf: tf.substr(["hello"], -9, 2),
    "split": lambda tf: tf.string_split(["a b", "c  d e", ""]),
    "split_marks": lambda tf: tf.string_split(["a,b;c"], ",;"),
    "split_bytes": lambda tf: tf.string_split(["abc"], ""),
    "split_keep": lambda tf: tf.string_split([",a,", ""], ",", skip_empty=False),
    "split_old": lambda tf: tf.string_split(["a-b"], delimiter="-"),
    "split_v2": lambda tf: tf.strings.split(["a b  c", "d"]),
    "split_v2_separator": lambda tf: tf.strings.split(["a<>b<>c", "<>"], sep="<>"),
    "split_v2_limit": lambda tf: tf.strings.split(source=["a b c"], maxsplit=1),
    "regex_replace": lambda tf: tf.regex_replace(["a1b22"], "[0-9]+", "#"),
    "regex_groups": lambda tf: tf.regex_replace(
        ["a1b22"], "([a-z])([0-9])", r"\2\1", replace_global=False
    ),
    "regex_whole": lambda tf: tf.regex_replace(["abc"], "b", "\\0\\0"),
    "regex_empty": lambda tf: tf.regex_replace(["abc"], "b*", "-"),
    "regex_tensor": lambda tf: tf.regex_replace(["abc"], tf.constant("b"), "x"),
    "regex_match": lambda tf: tf.strings.regex_full_match(["ab1", "ab"], "[a-z]+"),
    "regex_match_tensor": lambda tf: tf.strings.regex_full_match(["ab"], tf.constant("a.")),
    "strip": lambda tf: tf.string_strip(["  a \n", "b"]),
    "length": lambda tf: tf.strings.length(["abc", "", "\u00e9"]),
    "length_utf8": lambda tf: tf.strings.length(["\u00e9a"], unit="UTF8_CHAR"),
    "lower": lambda tf: tf.strings.lower(["ABC\u00c9"]),
    "upper": lambda tf: tf.strings.upper(["abc\u00e9"], encoding="utf-8"),
    "reduce_join": lambda tf: tf.reduce_join([["a", "b"], ["c", "d"]], 0),
    "reduce_join_order": lambda tf: tf.reduce_join([["a", "b"], ["c", "d"]], [0, 1], separator="-"),
    "reduce_join_keep": lambda tf: tf.reduce_join([["a", "b"], ["c", "d"]], [1], keep_dims=True),
    "reduce_join_all": lambda tf: tf.reduce_join([["a", "b"], ["c", "d"]]),
    "reduce_join_unknown": lambda tf: tf.reduce_join(tf.placeholder_with_default(["a", "b"], None)),
    "reduce_join_wrong": lambda tf: tf.reduce_join(["a", "b"], 1),
    "segment_join": lambda tf: tf.strings.unsorted_segment_join(
        ["a", "b", "c"], [1, 0, 1], 3, separator="+"
    ),
    "join": lambda tf: tf.string_join(["a", ["b", "c"]], "-"),
    "join_wrong": lambda tf: tf.string_join([["a"], ["b", "c"]]),
    "format": lambda tf: tf.strings.format("x: {} {}", (tf.constant([1, 2]), tf.constant("s"))),
    "format_other": lambda tf: tf.strings.format(
        "$ and $", [tf.constant([[1.5, 2], [3, 4]]), tf.constant(True)], "$"
    ),
    "format_wrong": lambda tf: tf.strings.format("x", [tf.constant(1)]),
    "encode_base64": lambda tf: tf.encode_base64(["hi?>", "ab"]),
    "encode_base64_pad": lambda tf: tf.encode_base64(["hi?>", "ab"], pad=True),
    "decode_base64": lambda tf: tf.decode_base64(["aGk_Pg", "YWI="]),
    "decode_base64_length": lambda tf: tf.decode_base64(["a"]),
    "decode_base64_character": lambda tf: tf.decode_base64(["aGk/"]),
    "transcode": lambda tf: tf.strings.unicode_transcode([b"a\xff"], "UTF-8", "UTF-16-BE"),
    "transcode_strict": lambda tf: tf.strings.unicode_transcode(
        [b"a\xff"], "UTF-8", "UTF-8", errors="strict"
    ),
    "transcode_ignore": lambda tf: tf.strings.unicode_transcode(
        [b"a\xffb"], "UTF-8", "UTF-8", errors="ignore"
    ),
    "unicode_decode": lambda tf: list(
        tf.raw_ops.UnicodeDecode(input=["h\u00e9", "a"], input_encoding="UTF-8")
    ),
    "unicode_offsets": lambda tf: list(
        tf.raw_ops.UnicodeDecodeWithOffsets(input=["h\u00e9x", b"\xffa"], input_encoding="UTF-8")
    ),
    "unicode_encode": lambda tf: tf.raw_ops.UnicodeEncode(
        input_values=[72, 233, 65, 0x110000], input_splits=[0, 2, 4], output_encoding="UTF-8"
    ),
}
for _name, _build in sorted(_SPECS.items()):
    _case(_name, _build)


def regex_bad(tf, np):
    return {"y": tf.regex_replace("a", "[", "b")}
