"""SavedModels: written, listed, loaded again, refused."""

import os
import shutil
import tempfile


class _Folder(object):
    def __enter__(self):
        self.path = tempfile.mkdtemp()
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def __call__(self, name):
        return os.path.join(self.path, name)

    def clean(self, text):
        text = text.decode() if isinstance(text, bytes) else str(text)
        return text.replace(self.path, "DIR")

    def tree(self, name):
        return [[self.clean(root), sorted(files)] for root, _, files in sorted(os.walk(self(name)))]


def _error(folder, function):
    try:
        function()
    except Exception as error:
        return type(error).__name__, folder.clean(getattr(error, "message", None) or str(error))[
            :300
        ]
    return "no error"


def _model(tf, folder):
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    v = tf.Variable([[1.0], [2.0]], name="v")
    y = tf.matmul(x, v, name="y")
    with open(folder("vocab.txt"), "w") as f:
        f.write("a\nb\n")
    asset = tf.constant(folder("vocab.txt"), name="asset")
    tf.add_to_collection(tf.GraphKeys.ASSET_FILEPATHS, asset)
    words = tf.Variable("", name="words", collections=["local_variables"])
    return x, y, tf.group(words.assign(tf.read_file(asset)), name="fill")


def simple(tf, np):
    with _Folder() as d:
        with tf.Graph().as_default(), tf.Session() as sess:
            x, y, fill = _model(tf, d)
            sess.run(tf.global_variables_initializer())
            tf.saved_model.simple_save(sess, d("m"), {"x": x}, {"y": y}, legacy_init_op=fill)
        result = {"tree": d.tree("m"), "there": tf.saved_model.contains_saved_model(d("m"))}
        os.remove(d("vocab.txt"))
        with tf.Graph().as_default(), tf.Session() as sess:
            loaded = tf.saved_model.loader.load(sess, ["serve"], d("m"))
            signature = loaded.signature_def["serving_default"]
            result["y"] = sess.run(
                signature.outputs["y"].name, {signature.inputs["x"].name: [[1.0, 10.0]]}
            )
            result["words"] = sess.run("words:0")
            result["keys"] = sorted(loaded.collection_def)
            result["method"] = signature.method_name
        with tf.Graph().as_default(), tf.Session() as sess:
            tf.saved_model.load(sess, ["serve"], d("m"), import_scope="s")
            result["scoped"] = sess.run("s/y:0", {"s/x:0": [[1.0, 1.0]]})
            result["wrong tags"] = _error(d, lambda: tf.saved_model.load(sess, ["no"], d("m")))
            result["nothing"] = _error(d, lambda: tf.saved_model.load(sess, ["no"], d("n")))
        return result


def two_graphs(tf, np):
    with _Folder() as d, tf.Graph().as_default(), tf.Session() as sess:
        x, y, _ = _model(tf, d)
        sess.run(tf.global_variables_initializer())
        builder = tf.saved_model.builder.SavedModelBuilder(d("m"))
        signature = tf.saved_model.signature_def_utils.predict_signature_def({"x": x}, {"y": y})
        result = {"too early": _error(d, lambda: builder.add_meta_graph(["q"]))}
        builder.add_meta_graph_and_variables(
            sess, ["train", "gpu"], {"a": signature}, strip_default_attrs=True
        )
        result["twice"] = _error(d, lambda: builder.add_meta_graph_and_variables(sess, ["q"]))
        builder.add_meta_graph([tf.saved_model.tag_constants.SERVING], {"b": signature})
        result["path"] = d.clean(builder.save(as_text=True))
        result["not empty"] = _error(d, lambda: tf.saved_model.Builder(d("m")))
        result["tree"] = d.tree("m")
        with tf.Graph().as_default(), tf.Session() as other:
            loaded = tf.saved_model.load(other, ["gpu", "train"], d("m"))
            result["signatures"] = sorted(loaded.signature_def)
            result["y"] = other.run("y:0", {"x:0": [[1.0, 10.0]]})
        return result


def signatures(tf, np):
    text = tf.placeholder(tf.string, [None], name="text")
    score = tf.placeholder(tf.float32, [None, 3], name="score")
    label = tf.placeholder(tf.string, [None, 3], name="label")
    sparse = (
        tf.sparse_placeholder(tf.int64, name="sparse")
        if hasattr(tf, "sparse_placeholder")
        else None
    )
    utils = tf.saved_model.signature_def_utils
    made = {
        "regress": utils.regression_signature_def(text, score),
        "classify": utils.classification_signature_def(text, label, score),
        "predict": utils.predict_signature_def({"t": text}, {"s": score}),
    }
    result = {
        k: [v.method_name, sorted(v.inputs), sorted(v.outputs), utils.is_valid_signature(v)]
        for k, v in made.items()
    }
    made["predict"].outputs.clear()
    result["emptied"] = utils.is_valid_signature(made["predict"])
    del sparse
    info = tf.saved_model.utils.build_tensor_info(score)
    result["info"] = [info.name, info.dtype, [s.size for s in info.tensor_shape.dim]]
    result["again"] = tf.saved_model.utils.get_tensor_from_tensor_info(info) is score
    with _Folder() as d:
        result["errors"] = [
            _error(d, lambda: utils.predict_signature_def({}, {"s": score})),
            _error(d, lambda: utils.regression_signature_def(score, score)),
            _error(d, lambda: utils.regression_signature_def(None, score)),
            _error(d, lambda: utils.classification_signature_def(text, None, None)),
            _error(d, lambda: utils.classification_signature_def(text, score, None)),
        ]
    return result


def constants(tf, np):
    keys = tf.saved_model.signature_constants
    return {
        "all": [
            keys.DEFAULT_SERVING_SIGNATURE_DEF_KEY,
            keys.PREDICT_METHOD_NAME,
            keys.CLASSIFY_METHOD_NAME,
            keys.REGRESS_METHOD_NAME,
            tf.saved_model.tag_constants.SERVING,
            tf.saved_model.tag_constants.TRAINING,
            tf.saved_model.constants.SAVED_MODEL_FILENAME_PB,
        ]
    }
