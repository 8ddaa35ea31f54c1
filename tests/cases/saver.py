"""Savers: their nodes, their files, what they restore, and how they fail."""

import os
import shutil
import tempfile


class _Folder(object):
    """A temporary directory, removed at the end; `clean` hides its name."""

    def __enter__(self):
        self.path = tempfile.mkdtemp()
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def __call__(self, name):
        return os.path.join(self.path, name)

    def clean(self, text):
        return str(text).replace(self.path, "DIR")

    def files(self):
        return sorted(f for f in os.listdir(self.path) if "tfevents" not in f)


def _filled(tf, value):
    def initializer(shape, dtype=None, partition_info=None):
        return tf.fill(shape, tf.cast(value, dtype))

    return initializer


def _variables(tf):
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="v")
    w = tf.Variable(tf.constant(7, tf.int64), name="w")
    r = tf.get_variable("r", [3], use_resource=True, initializer=_filled(tf, 5.0))
    p = tf.get_variable(
        "p", [4, 2], partitioner=tf.fixed_size_partitioner(2), initializer=_filled(tf, 6.0)
    )
    return v, w, r, p


def _error(folder, function):
    try:
        function()
    except Exception as error:
        text = getattr(error, "message", None) or str(error)
        return type(error).__name__, folder.clean(text).split("\n\t [[node")[0][:400]
    return "no error"


def plain(tf, np):
    v, w, r, p = _variables(tf)
    saver = tf.train.Saver()
    with _Folder() as d, tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        path = saver.save(sess, d("m"))
        sess.run([v.assign(v * 0), w.assign(0), r.assign([0, 0, 0])])
        saver.restore(sess, path)
        values = sess.run([v, w, r] + list(p))
        state = open(d("checkpoint")).read()
        sizes = [os.path.getsize(d(f)) for f in d.files() if not f.endswith("meta")][1:]
        return {
            "path": d.clean(path),
            "values": values,
            "files": d.files(),
            "sizes": sizes,
            "state": d.clean(state),
            "def": saver.as_saver_def().save_tensor_name,
        }


def sharded_and_reshaped(tf, np):
    with tf.device("/cpu:0"):
        v, w, r, p = _variables(tf)
    u = tf.Variable([1.0], validate_shape=False, name="u")
    saver = tf.train.Saver(sharded=True, reshape=True, name="shard")
    with _Folder() as d, tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        path = saver.save(sess, d("m"), global_step=3)
        sess.run([v.assign(v * 0), w.assign(0), u.assign([0.0])])
        saver.restore(sess, path)
        return {"path": d.clean(path), "values": sess.run([v, w, u] + list(p)), "files": d.files()}


def names(tf, np):
    v = tf.Variable([1.0, 2.0], name="v")
    w = tf.Variable(3, name="w")
    saver = tf.train.Saver({"a/b": v, "c": w})
    with _Folder() as d, tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        saver.save(sess, d("m"))
        reader = tf.train.NewCheckpointReader(d("m"))
        return {
            "shapes": reader.get_variable_to_shape_map(),
            "has": reader.has_tensor("v"),
            "value": reader.get_tensor("a/b"),
            "list": tf.train.list_variables(d.path),
            "load": tf.train.load_variable(d.path, "c:0"),
        }


def kept_files(tf, np):
    v = tf.Variable(1.0, name="v")
    step = tf.Variable(20, name="step")
    saver = tf.train.Saver(max_to_keep=2, pad_step_number=True, save_relative_paths=True)
    everything = tf.train.Saver([v], max_to_keep=None)
    with _Folder() as d, tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for i in range(4):
            saver.save(sess, d("k"), global_step=i)
        last = saver.save(sess, d("k"), global_step=step)
        state = open(d("checkpoint")).read()
        everything.save(sess, d("all"), global_step=1, latest_filename="other")
        everything.save(sess, d("all"), global_step=2, write_meta_graph=False, write_state=False)
        latest = tf.train.latest_checkpoint(d.path)
        found = tf.train.get_checkpoint_state(d.path)
        return {
            "files": d.files(),
            "last": d.clean(last),
            "state": state,
            "kept": d.clean(saver.last_checkpoints),
            "latest": d.clean(latest),
            "all": d.clean(found.all_model_checkpoint_paths),
            "exists": tf.train.checkpoint_exists(d("all-2")),
            "none": tf.train.latest_checkpoint(d("nothing")),
        }


def old_format(tf, np):
    v = tf.Variable([1.0, 2.0], name="v")
    w = tf.Variable([[1, 2], [3, 4]], dtype=tf.int64, name="w")
    h = tf.Variable([1.5, -2.0], dtype=tf.float16, name="h")
    s = tf.Variable(["a", "bc"], name="s")
    saver = tf.train.Saver(write_version=tf.train.SaverDef.V1)
    with _Folder() as d, tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        path = saver.save(sess, d("m"))
        sess.run([v.assign(v * 0), w.assign(w * 0), s.assign(["", ""])])
        saver.restore(sess, path)
        shapes = tf.train.NewCheckpointReader(path).get_variable_to_shape_map()
        return {"values": sess.run([v, w, h, s]), "files": d.files(), "shapes": shapes}


def restore_errors(tf, np):
    v = tf.Variable([1.0, 2.0], name="v")
    saver = tf.train.Saver()
    result = {}
    with _Folder() as d:
        with tf.Session() as sess:
            result["uninitialized"] = _error(d, lambda: saver.save(sess, d("m")))
            sess.run(v.initializer)
            saver.save(sess, d("m"))
            result["missing file"] = _error(d, lambda: saver.restore(sess, d("n")))
            result["none"] = _error(d, lambda: saver.restore(sess, None))
            result["no folder"] = _error(d, lambda: saver.save(sess, d("a/b/c")))
            result["no session"] = _error(d, lambda: saver.save(3, d("m")))
            result["collision"] = _error(d, lambda: saver.save(sess, d("checkpoint")))
            result["bad latest"] = _error(
                d, lambda: saver.save(sess, d("m"), latest_filename="a/b")
            )
        for label, make in (
            ("other shape", lambda: tf.Variable([1.0, 2.0, 3.0], name="v")),
            ("other type", lambda: tf.Variable([1, 2], name="v")),
            ("other name", lambda: tf.Variable([1.0, 2.0], name="u")),
        ):
            with tf.Graph().as_default(), tf.Session() as sess:
                make()
                other = tf.train.Saver()
                result[label] = _error(d, lambda: other.restore(sess, d("m")))
    return result


restore_errors.nodes = False


def bad_lists(tf, np):
    v = tf.Variable(1.0, name="v")
    with _Folder() as d:
        return {
            "number": _error(d, lambda: tf.train.Saver(3)),
            "dtype": _error(d, lambda: tf.train.Saver({"a": tf.constant(3)})),
            "twice": _error(d, lambda: tf.train.Saver([v, v])),
            "two names": _error(d, lambda: tf.train.Saver({"a": v, "b": v})),
            "int name": _error(d, lambda: tf.train.Saver({1: v})),
            "defer": _error(d, lambda: tf.train.Saver([v], defer_build=True)),
        }


def nothing_to_save(tf, np):
    tf.train.Saver()


def allow_empty(tf, np):
    saver = tf.train.Saver(allow_empty=True)
    tf.constant(1.0)
    with _Folder() as d, tf.Session() as sess:
        return {"path": saver.save(sess, d("m"), write_meta_graph=False), "files": d.files()}


def deferred(tf, np):
    saver = tf.train.Saver(defer_build=True, name="late", restore_sequentially=True)
    v = tf.Variable(1.0, name="v")
    with _Folder() as d, tf.Session() as sess:
        early = _error(d, lambda: saver.save(sess, d("m")))
        saver.build()
        sess.run(v.initializer)
        return {"early": early, "path": d.clean(saver.save(sess, d("m")))}


def save_op_errors(tf, np):
    with _Folder() as d, tf.Session() as sess:
        path = d("m")

        def save(names, slices, tensors, prefix=path):
            return lambda: sess.run(
                tf.raw_ops.SaveV2(
                    prefix=prefix, tensor_names=names, shape_and_slices=slices, tensors=tensors
                )
            )

        def restore(names, slices, dtypes, prefix=path):
            return lambda: sess.run(
                tf.raw_ops.RestoreV2(
                    prefix=prefix, tensor_names=names, shape_and_slices=slices, dtypes=dtypes
                )
            )

        save(["a", "b"], ["", ""], [1.0, np.arange(4)])()
        part = restore(["b"], ["4 1,2"], [tf.int64])()
        return {
            "part": part,
            "type": _error(d, restore(["a"], [""], [tf.int32])),
            "key": _error(d, restore(["c"], [""], [tf.int32])),
            "shape": _error(d, restore(["b"], ["5 0,2"], [tf.int64])),
            "file": _error(d, restore(["b"], [""], [tf.int64], d("x"))),
            "folder": _error(d, restore(["b"], [""], [tf.int64], d("x/y"))),
            "slice": _error(d, save(["a"], ["4 x"], [1.0])),
            "mismatch": _error(d, save(["a"], ["4 0,2"], [1.0])),
            "twice": _error(d, save(["a", "a"], ["", ""], [1.0, 2.0])),
            "deep": _error(d, save(["a"], [""], [1.0], d("p/q/r"))),
        }


save_op_errors.nodes = False


def v1_ops(tf, np):
    with _Folder() as d, tf.Session() as sess:
        path = d("m")
        sess.run(tf.raw_ops.Save(filename=path, tensor_names=["a"], data=[[1.0, 2.0, 3.0]]))
        one = sess.run(tf.raw_ops.Restore(file_pattern=path, tensor_name="a", dt=tf.float32))
        part = tf.raw_ops.RestoreSlice(
            file_pattern=path, tensor_name="a", shape_and_slice="3 1,2", dt=tf.float32
        )
        shape = str(part.shape)
        part = sess.run(part)
        sess.run(
            tf.raw_ops.SaveSlices(
                filename=path,
                tensor_names=["b", "b"],
                shapes_and_slices=["3 0,1", "3 1,2"],
                data=[[1], [2, 3]],
            )
        )
        both = sess.run(tf.raw_ops.Restore(file_pattern=path, tensor_name="b", dt=tf.int32))
        return {"one": one, "part": part, "static": shape, "both": both}


v1_ops.nodes = False


def sharded_names(tf, np):
    return {
        "name": tf.raw_ops.ShardedFilename(basename="a", shard=1, num_shards=3),
        "spec": tf.raw_ops.ShardedFilespec(basename="a", num_shards=3),
    }


def merge_checkpoints(tf, np):
    with _Folder() as d, tf.Session() as sess:
        for i, part in enumerate(("p/1", "p/2")):
            os.path.isdir(d("p")) or os.mkdir(d("p"))
            sess.run(
                tf.raw_ops.SaveV2(
                    prefix=d(part),
                    tensor_names=["t%d" % i],
                    shape_and_slices=[""],
                    tensors=[np.arange(3) + i],
                )
            )
        sess.run(
            tf.raw_ops.MergeV2Checkpoints(
                checkpoint_prefixes=[d("p/1"), d("p/2")], destination_prefix=d("m")
            )
        )
        return {
            "files": d.files(),
            "variables": tf.train.list_variables(d("m")),
            "missing": _error(
                d,
                lambda: sess.run(
                    tf.raw_ops.MergeV2Checkpoints(
                        checkpoint_prefixes=[d("no")], destination_prefix=d("q")
                    )
                ),
            ),
        }


merge_checkpoints.nodes = False


def files(tf, np):
    with _Folder() as d, tf.Session() as sess:
        sess.run(tf.write_file(d("a/b.txt"), "text"))
        sess.run(tf.write_file(d("c.txt"), b"\x00\xff"))
        found = sess.run(tf.matching_files([d("*.txt"), d("a/*")]))
        return {
            "read": sess.run(tf.read_file(d("c.txt"))),
            "found": [d.clean(f.decode()) for f in found],
            "none": sess.run(tf.raw_ops.MatchingFiles(pattern=d("x*"))),
            "missing": _error(d, lambda: sess.run(tf.read_file(d("n")))),
            "folder": _error(d, lambda: sess.run(tf.read_file(d.path))),
        }


files.nodes = False


def from_checkpoint(tf, np):
    with _Folder() as d:
        with tf.Graph().as_default(), tf.Session() as sess:
            with tf.variable_scope("s"):
                tf.get_variable("v", [2], initializer=_filled(tf, 5.0))
                tf.get_variable("r", [2], use_resource=True, initializer=_filled(tf, 6.0))
                tf.get_variable(
                    "p",
                    [4, 2],
                    partitioner=tf.fixed_size_partitioner(2),
                    initializer=_filled(tf, 7.0),
                )
            sess.run(tf.global_variables_initializer())
            tf.train.Saver().save(sess, d("m"))
        with tf.variable_scope("t"):
            v = tf.get_variable("v", [2], initializer=_filled(tf, 0.0))
            r = tf.get_variable("r", [2], use_resource=True, initializer=_filled(tf, 0.0))
            p = tf.get_variable(
                "p", [4, 2], partitioner=tf.fixed_size_partitioner(2), initializer=_filled(tf, 0.0)
            )
        u = tf.get_variable("u", [2])
        errors = [
            _error(d, lambda: tf.train.init_from_checkpoint(d.path, {"s/p": "t/v"})),
            _error(d, lambda: tf.train.init_from_checkpoint(d.path, {"s": "t/"})),
        ]
        tf.train.init_from_checkpoint(d.path, {"s/": "t/", "s/v": u})
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            return {"values": sess.run([v, r, u] + list(p)), "errors": errors}


def meta_graph(tf, np):
    with _Folder() as d:
        with tf.Graph().as_default(), tf.Session() as sess:
            v = tf.Variable([2.0, 3.0], name="v")
            x = tf.placeholder(tf.float32, [None, 2], name="x")
            y = tf.identity(x * v, name="y")
            tf.add_to_collection("out", y)
            tf.add_to_collection("numbers", 3)
            tf.add_to_collection("words", "abc")
            tf.add_to_collection("weights", 1.5)
            sess.run(v.initializer)
            saver = tf.train.Saver()
            saver.save(sess, d("m"))
            proto = tf.train.export_meta_graph(clear_devices=True, strip_default_attrs=True)
            ops = [o.name for o in proto.meta_info_def.stripped_op_list.op]
            attrs = [(n.name, sorted(n.attr)) for n in proto.graph_def.node]
        result = {"keys": sorted(proto.collection_def), "ops": ops, "attrs": attrs}
        for scope in ("", "q"):
            with tf.Graph().as_default(), tf.Session() as sess:
                saver = tf.train.import_meta_graph(d("m.meta"), import_scope=scope or None)
                saver.restore(sess, d("m"))
                prefix = scope + "/" if scope else ""
                result["y " + scope] = sess.run(prefix + "y:0", {prefix + "x:0": [[1, 2]]})
                result["state " + scope] = [
                    [v.name for v in tf.global_variables()],
                    [v.name for v in tf.trainable_variables()],
                    [t.name for t in tf.get_collection("out")],
                    tf.get_collection("numbers"),
                    [getattr(w, "decode", lambda w=w: w)() for w in tf.get_collection("words")],
                    tf.get_collection("weights"),
                ]
                result["nodes " + scope] = [o.name for o in tf.get_default_graph().get_operations()]
        return result


def scoped_meta_graph(tf, np):
    with tf.variable_scope("s"):
        v = tf.get_variable("v", [2], initializer=_filled(tf, 5.0))
        x = tf.placeholder(tf.float32, [2], name="x")
        tf.add(v, x, name="y")
    outer = tf.constant([1.0, 2.0], name="outer")
    with tf.name_scope("s/"):
        tf.multiply(outer, v, name="z")
    proto = tf.train.export_meta_graph(export_scope="s")
    nodes = [(n.name, list(n.input)) for n in proto.graph_def.node]
    with tf.Graph().as_default():
        z = tf.constant([7.0, 8.0])
        tf.train.import_meta_graph(proto, import_scope="t", input_map={"$unbound_inputs_outer": z})
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            value = sess.run("t/z:0")
    return {"nodes": nodes, "keys": sorted(proto.collection_def), "z": value}


def warm_start(tf, np):
    with _Folder() as d:
        for name, text in (("old.txt", "a\nb\nc\n"), ("new.txt", "c\nx\na\ny\n")):
            with open(d(name), "w") as f:
                f.write(text)

        def counting(start):
            def initializer(shape, dtype=None, partition_info=None):
                size = int(np.prod(shape))
                return tf.reshape(tf.range(start, start + size, dtype=tf.float32), shape)

            return initializer

        with tf.Graph().as_default(), tf.Session() as sess:
            for i, (name, shape) in enumerate(
                [("emb", [3, 2]), ("w", [2]), ("k", [2, 3]), ("p", [4, 2])]
            ):
                tf.get_variable(name, shape, initializer=counting(10.0 * i))
            sess.run(tf.global_variables_initializer())
            tf.train.Saver().save(sess, d("m"))
        with tf.Graph().as_default(), tf.Session() as sess:
            emb = tf.get_variable("emb", [5, 2], initializer=_filled(tf, -1.0))
            w = tf.get_variable("w2", [2], initializer=_filled(tf, -1.0))
            k = tf.get_variable("k", [2, 5], initializer=_filled(tf, -1.0))
            p = tf.get_variable(
                "p", [4, 2], partitioner=tf.fixed_size_partitioner(2), initializer=_filled(tf, -1.0)
            )
            tf.train.warm_start(
                d("m"),
                ".*",
                {
                    "emb": tf.train.VocabInfo(
                        d("new.txt"), 4, 1, d("old.txt"), 2, lambda shape, **_: tf.fill(shape, -7.0)
                    ),
                    "k": tf.train.VocabInfo(d("new.txt"), 4, 1, d("old.txt"), axis=1),
                },
                {"w2": "w"},
            )
            sess.run(tf.global_variables_initializer())
            return {
                "values": sess.run([emb, w, k] + list(p)),
                "unused": _error(
                    d,
                    lambda: tf.train.warm_start(
                        d("m"), [w], var_name_to_prev_var_name={"w2": "w", "zz": "w"}
                    ),
                ),
                "number": _error(d, lambda: tf.train.warm_start(d("m"), 3)),
                "numbers": _error(d, lambda: tf.train.warm_start(d("m"), [3])),
                "axis": _error(d, lambda: tf.train.VocabInfo("n", 4, 1, "o", axis=2)),
            }


warm_start.nodes = False  # the remapping is made of other nodes than LoadAndRemapMatrix
