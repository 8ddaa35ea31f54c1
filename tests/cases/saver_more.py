"""tf.train.Saver: lists, subsets, partitioned variables, meta graphs, files of several parts."""

import os
import tempfile


def _error(call):
    try:
        call()
    except Exception as error:
        return (
            type(error).__name__
            + ": "
            + str(error).split("\n")[0].split(" is not found in /")[0][:80]
        )
    return "none"


def _start(tf):
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    return session


def _numbers(tf, *names):
    return [tf.get_variable(n, initializer=float(i + 1)) for i, n in enumerate(names)]


def _listing(path, tf):
    shapes = tf.train.NewCheckpointReader(path).get_variable_to_shape_map()
    return [n + str(shapes[n]) for n in sorted(shapes)]


def lists_and_dicts(tf, np):
    folder = tempfile.mkdtemp()
    a, b, c = _numbers(tf, "a", "b", "c")
    found = {}
    with _start(tf) as session:
        for label, var_list in (
            ("list", [a, c]),
            ("tuple", (b, c)),
            ("dict", {"x/a": a, "y": c}),
            ("all", None),
        ):
            path = tf.train.Saver(var_list).save(session, os.path.join(folder, label))
            found[label] = _listing(path, tf)
        session.run([v.assign(0.0) for v in (a, b, c)])
        tf.train.Saver([a]).restore(session, os.path.join(folder, "all"))
        found["subset"] = np.array(session.run([a, b, c]))
        tf.train.Saver({"x/a": b, "y": c}).restore(session, os.path.join(folder, "dict"))
        found["renamed"] = np.array(session.run([a, b, c]))
        found["lacking"] = _error(
            lambda: tf.train.Saver([b]).restore(session, os.path.join(folder, "list"))
        )
        found["other_shape"] = _error(_wrong_shape(tf, folder))
    return found


def _wrong_shape(tf, folder):
    def call():
        with tf.Graph().as_default(), tf.Session() as session:
            a = tf.get_variable("a", [2])
            tf.train.Saver([a]).restore(session, os.path.join(folder, "all"))

    return call


def partitioned(tf, np):
    """Written in slices, read whole, in other slices, and one slice alone."""
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "model")
    values = np.arange(12, dtype=np.float32).reshape(6, 2)
    found = {}
    with tf.Graph().as_default():
        with tf.variable_scope("s", partitioner=tf.fixed_size_partitioner(3)):
            v = tf.get_variable("v", [6, 2])
        with tf.Session() as session:
            for i, part in enumerate(v):
                part.load(values[2 * i : 2 * i + 2], session)
            tf.train.Saver().save(session, path)
            found["nodes"] = [n.name for n in tf.get_default_graph().get_operations()][-12:]
    found["listing"] = _listing(path, tf)
    found["read"] = tf.train.NewCheckpointReader(path).get_tensor("s/v")
    for label, parts in (("whole", 1), ("two", 2), ("six", 6)):
        with tf.Graph().as_default():
            partitioner = tf.fixed_size_partitioner(parts) if parts > 1 else None
            with tf.variable_scope("s", partitioner=partitioner):
                v = tf.get_variable("v", [6, 2])
            with tf.Session() as session:
                tf.train.Saver().restore(session, path)
                found[label] = session.run(tf.convert_to_tensor(v))
    with tf.Graph().as_default():
        with tf.variable_scope("s", partitioner=tf.fixed_size_partitioner(3)):
            part = list(tf.get_variable("v", [6, 2]))[1]
        with tf.Session() as session:
            tf.train.Saver([part]).restore(session, path)
            found["slice"] = session.run(part)
    return found


def partitioned_along_columns(tf, np):
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "model")
    with tf.variable_scope("s", partitioner=tf.fixed_size_partitioner(2, axis=1)):
        v = tf.get_variable("v", [2, 3], initializer=tf.zeros_initializer(), use_resource=True)
    with tf.Session() as session:
        for i, part in enumerate(v):
            part.load(np.full(part.shape.as_list(), float(i), np.float32), session)
        saver = tf.train.Saver(sharded=True)
        saver.save(session, path)
        session.run([p.initializer for p in v])
        saver.restore(session, path)
        back = session.run(tf.convert_to_tensor(v))
    with tf.Graph().as_default():
        whole = tf.get_variable("s/v", [2, 3])
        with tf.Session() as session:
            tf.train.Saver().restore(session, path)
            return {"back": back, "whole": session.run(whole)}


def initialized_from_a_checkpoint(tf, np):
    """Assignment maps: names, scopes, the root, variables, slices."""
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "model")
    with tf.Graph().as_default():
        tf.get_variable("old/a", initializer=[1.0, 2.0])
        tf.get_variable("old/b", initializer=3.0)
        with tf.variable_scope("old", partitioner=tf.fixed_size_partitioner(2)):
            p = tf.get_variable("p", [4, 1])
        with _start(tf) as session:
            for i, part in enumerate(p):
                part.load(np.full([2, 1], float(i), np.float32), session)
            tf.train.Saver().save(session, path)

    def run(build, assignment):
        with tf.Graph().as_default():
            variables = build()
            tf.train.init_from_checkpoint(folder, assignment(variables))
            with _start(tf) as session:
                return [session.run(tf.convert_to_tensor(v)) for v in variables]

    def plain(scope="new"):
        with tf.variable_scope(scope):
            return [
                tf.get_variable("a", [2], initializer=tf.zeros_initializer()),
                tf.get_variable("b", [], initializer=tf.zeros_initializer()),
            ]

    def sliced(parts=2):
        with tf.variable_scope("new", partitioner=tf.fixed_size_partitioner(parts)):
            return [tf.get_variable("p", [4, 1], initializer=tf.zeros_initializer())]

    def whole():
        with tf.variable_scope("new"):
            return [tf.get_variable("p", [4, 1], initializer=tf.zeros_initializer())]

    return {
        "names": run(plain, lambda v: {"old/a": "new/a"}),
        "variables": run(plain, lambda v: {"old/a": v[0], "old/b": v[1]}),
        "slices": run(sliced, lambda v: {"old/p": "new/p"}),
        "slice_list": run(sliced, lambda v: {"old/p": list(v[0])}),
        "other_slices": run(lambda: sliced(4), lambda v: {"old/p": "new/p"}),
        "whole": run(whole, lambda v: {"old/p": "new/p"}),
        "scope": run(lambda: [*plain(), *sliced()], lambda v: {"old/": "new/"}),
        "same": run(lambda: plain("old"), lambda v: {"/": "/"}),
        "lacking": _error(lambda: run(plain, lambda v: {"old/zz": "new/a"})),
        "no_variable": _error(lambda: run(plain, lambda v: {"old/a": "new/zz"})),
        "no_scope": _error(lambda: run(plain, lambda v: {"older/": "new/"})),
        "shape": _error(lambda: run(plain, lambda v: {"old/b": "new/a"})),
        "no_slash": _error(lambda: run(plain, lambda v: {"old/": "new"})),
    }


def meta_graph_options(tf, np):
    """Devices cleared, scopes taken out and put in, only some variables."""
    folder = tempfile.mkdtemp()
    with tf.variable_scope("one"):
        with tf.device("/cpu:0"):
            a = tf.get_variable("a", initializer=1.0)
        y = tf.add(a, 1.0, name="y")
        tf.add_to_collection("mine", y)
    with tf.variable_scope("two"):
        tf.get_variable("b", initializer=2.0)
    full = tf.train.export_meta_graph(filename=os.path.join(folder, "full.meta"))
    clear = tf.train.export_meta_graph(clear_devices=True)
    kept = {}
    from_scope = tf.train.export_meta_graph(export_scope="one")
    kept["full_devices"] = sorted({n.device for n in full.graph_def.node})
    kept["clear_devices"] = sorted({n.device for n in clear.graph_def.node})
    kept["scope_nodes"] = sorted(n.name for n in from_scope.graph_def.node)
    kept["scope_collections"] = sorted(from_scope.collection_def)
    with tf.Graph().as_default():
        tf.train.import_meta_graph(from_scope, import_scope="three")
        kept["names"] = sorted(v.name for v in tf.global_variables())
        kept["collection"] = [t.name for t in tf.get_collection("mine")]
        with _start(tf) as session:
            kept["y"] = session.run(tf.get_collection("mine")[0])
    with tf.Graph().as_default():
        saver = tf.train.import_meta_graph(
            os.path.join(folder, "full.meta"), clear_devices=True, import_scope="again"
        )
        kept["saver"] = saver is None
        kept["imported_devices"] = sorted(
            {n.device for n in tf.get_default_graph().get_operations()}
        )
        kept["imported"] = sorted(v.name for v in tf.global_variables())
    return kept


def meta_graph_with_saver(tf, np):
    folder = tempfile.mkdtemp()
    with tf.variable_scope("one"):
        (a,) = _numbers(tf, "a")
    with _start(tf) as session:
        path = tf.train.Saver(max_to_keep=3).save(session, os.path.join(folder, "m"), global_step=4)
    found = {}
    with tf.Graph().as_default(), tf.Session() as session:
        saver = tf.train.import_meta_graph(path + ".meta", import_scope="in")
        saver.restore(session, path)
        found["value"] = session.run("in/one/a:0")
        found["keep"] = saver.saver_def.max_to_keep
        found["names"] = [
            saver.saver_def.filename_tensor_name,
            saver.saver_def.save_tensor_name,
            saver.saver_def.restore_op_name,
        ]
    return found


def options_and_state(tf, np):
    folder = tempfile.mkdtemp()
    (a,) = _numbers(tf, "a")
    found = {}
    with _start(tf) as session:
        saver = tf.train.Saver(max_to_keep=2)
        paths = [saver.save(session, os.path.join(folder, "m"), global_step=i) for i in range(4)]
        found["last"] = [os.path.basename(p) for p in saver.last_checkpoints]
        found["files"] = sorted(os.listdir(folder))
        other = tf.train.Saver(max_to_keep=3)
        other.recover_last_checkpoints(paths)
        found["recovered"] = [os.path.basename(p) for p in other.last_checkpoints]
        other.set_last_checkpoints_with_time([(p, 1.0) for p in paths[2:]])
        found["set"] = [os.path.basename(p) for p in other.last_checkpoints]
        other.save(
            session, os.path.join(folder, "m"), 9, latest_filename="newest", write_meta_graph=False
        )
        found["newest"] = sorted(os.listdir(folder))
        found["latest"] = os.path.basename(tf.train.latest_checkpoint(folder, "newest"))
        nothing = tf.train.Saver(max_to_keep=None)
        nothing.save(session, os.path.join(folder, "n"), write_state=False)
        found["state"] = os.path.basename(tf.train.latest_checkpoint(folder))
        found["suffix"] = saver.save(
            session, os.path.join(folder, "s"), meta_graph_suffix="graph"
        ).split("/")[-1]
        found["after"] = sorted(n for n in os.listdir(folder) if n.startswith("s."))
        found["padded"] = os.path.basename(
            tf.train.Saver(pad_step_number=True).save(session, os.path.join(folder, "p"), 5)
        )
        found["no_folder"] = _error(
            lambda: saver.save(session, os.path.join(folder, "none", "m"))
        ).split("/")[0]
    return found


def v1_files(tf, np):
    folder = tempfile.mkdtemp()
    a, b = _numbers(tf, "a", "b")
    with _start(tf) as session:
        saver = tf.train.Saver(write_version=tf.train.SaverDef.V1)
        path = saver.save(session, os.path.join(folder, "old"), global_step=1)
        files = sorted(os.listdir(folder))
        session.run([a.assign(0.0), b.assign(0.0)])
        tf.train.Saver().restore(session, path)
        return {
            "files": files,
            "values": np.array(session.run([a, b])),
            "listing": _listing(path, tf),
            "exists": tf.train.checkpoint_exists(path),
        }
