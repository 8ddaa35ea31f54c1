"""tf.train.Checkpoint and CheckpointManager: objects saved by their paths, statuses, files."""

import os
import tempfile


def _error(call):
    try:
        call()
    except Exception as error:
        return type(error).__name__ + ": " + str(error).split("\n")[0][:60]
    return "none"


def _start(tf):
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    return session


def _model(tf):
    a = tf.Variable(1.0, name="a")
    b = tf.get_variable("b", [2], initializer=tf.ones_initializer(), use_resource=True)
    optimizer = tf.train.AdamOptimizer(0.1)
    train = optimizer.minimize(tf.square(a) + tf.reduce_sum(b * b))
    layer = tf.layers.Dense(2, kernel_initializer=tf.ones_initializer())
    layer(tf.zeros([1, 3]))
    root = tf.train.Checkpoint(a=a, b=b, opt=optimizer, layer=layer, inner=tf.train.Checkpoint(x=a))
    return a, b, train, root


def save_and_restore(tf, np):
    folder = tempfile.mkdtemp()
    a, b, train, root = _model(tf)
    with _start(tf) as session:
        session.run(train)
        path = root.save(os.path.join(folder, "model"))
        kept = session.run([a, b])
        session.run(train)
        second = root.save(os.path.join(folder, "model"))
        written = root.write(os.path.join(folder, "plain"))
        status = root.restore(path).assert_consumed()
        status.run_restore_ops()
        back = session.run([a, b])
        session.run(train)
        again = session.run([a, b])
        root.restore(second).initialize_or_restore()
        counter = session.run(root.save_counter)
    reader = tf.train.NewCheckpointReader(second)
    shapes = reader.get_variable_to_shape_map()
    with open(os.path.join(folder, "checkpoint")) as state:
        state = state.read()
    return {
        "paths": [os.path.basename(p) for p in (path, second, written)],
        "kept": kept[0],
        "kept_b": kept[1],
        "back": back[0],
        "back_b": back[1],
        "again": again[0],
        "again_b": again[1],
        "counter": counter,
        "shapes": [n + str(shapes[n]) for n in sorted(shapes)],
        "state": state,
        "files": sorted(os.listdir(folder)),
        "latest": os.path.basename(tf.train.latest_checkpoint(folder)),
    }


def graph_of_objects(tf, np):
    folder = tempfile.mkdtemp()
    a, b, train, root = _model(tf)
    root.things = [a, tf.Variable(3.0, name="c")]
    root.named = {"one": tf.Variable(4.0, name="d")}
    cell = tf.nn.rnn_cell.BasicLSTMCell(2)
    cell(tf.zeros([1, 2]), cell.zero_state(1, tf.float32))
    root.cell = cell
    with _start(tf):
        path = root.write(os.path.join(folder, "model"))
    data = tf.train.NewCheckpointReader(path).get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH")
    return {"bytes": data}


def parts(tf, np):
    """A checkpoint with more and with less than the program has."""
    folder = tempfile.mkdtemp()
    a, b, c = [tf.Variable(float(i), name=n) for i, n in enumerate("abc")]
    with _start(tf) as session:
        path = tf.train.Checkpoint(a=a, b=b).write(os.path.join(folder, "model"))
        session.run([v.assign(10.0) for v in (a, b, c)])
        less = tf.train.Checkpoint(a=a)
        status = less.restore(path).expect_partial()
        found = {"less": _error(status.assert_consumed)}
        # The counter of saves, which every restore makes, is not in the file.
        found["existing"] = _error(status.assert_existing_objects_matched)
        found["nontrivial"] = _error(status.assert_nontrivial_match)
        status.run_restore_ops()
        found["values"] = np.array(session.run([a, b, c]))
        more = tf.train.Checkpoint(a=a, b=b, c=c)
        status = more.restore(path)
        found["more"] = _error(status.assert_consumed)
        found["more_existing"] = _error(status.assert_existing_objects_matched)
        status.initialize_or_restore()
        found["initialized"] = np.array(session.run([a, b, c]))
        other = tf.train.Checkpoint(z=c)
        status = other.restore(path).expect_partial()
        found["other"] = _error(status.assert_nontrivial_match)
        found["empty"] = _error(
            tf.train.Checkpoint().restore(path).expect_partial().assert_nontrivial_match
        )
    return found


def objects_made_later(tf, np):
    folder = tempfile.mkdtemp()
    a, b = [tf.Variable(float(i), name=n) for i, n in enumerate("ab")]
    with _start(tf) as session:
        path = tf.train.Checkpoint(a=a, b=b).save(os.path.join(folder, "model"))
        session.run([v.assign(10.0) for v in (a, b)])
        root = tf.train.Checkpoint(a=a)
        status = root.restore(path)
        before = _error(status.assert_consumed)
        root.b = b
        status.assert_consumed().run_restore_ops()
        return {"before": before, "values": np.array(session.run([a, b]))}


def by_names(tf, np):
    """A checkpoint of tf.train.Saver."""
    folder = tempfile.mkdtemp()
    a, b = [tf.Variable(float(i), name=n) for i, n in enumerate("ab")]
    with _start(tf) as session:
        path = tf.train.Saver().save(session, os.path.join(folder, "model"))
        session.run([v.assign(10.0) for v in (a, b)])
        root = tf.train.Checkpoint(x=a, y=b)
        status = root.restore(path)
        before = _error(status.assert_consumed)
        error = _error(status.run_restore_ops)  # the counter of saves is not in the file
        return {"before": before.split(":")[0], "error": error.split(":")[0]}


def read_by_a_saver(tf, np):
    """tf.train.Saver reads a checkpoint of objects by the names of variables."""
    folder = tempfile.mkdtemp()
    a, b = [tf.Variable(float(i), name=n) for i, n in enumerate("ab")]
    with _start(tf) as session:
        path = tf.train.Checkpoint(x=a, y=b).write(os.path.join(folder, "model"))
        session.run([v.assign(10.0) for v in (a, b)])
        tf.train.Saver([a, b]).restore(session, path)
        return {"values": np.array(session.run([a, b]))}


def without_a_checkpoint(tf, np):
    a = tf.Variable(2.0, name="a")
    root = tf.train.Checkpoint(a=a)
    status = root.restore(None)
    with tf.Session() as session:
        status.initialize_or_restore()
        return {
            "a": session.run(a),
            "consumed": _error(status.assert_consumed),
            "run": _error(status.run_restore_ops),
            "counter": session.run(root.save_counter),
            "missing": _error(lambda: root.restore("/nowhere/model")).split(":")[0],
            "wrong": _error(lambda: tf.train.Checkpoint(a=3)),
        }


def slots_only_of_what_is_saved(tf, np):
    folder = tempfile.mkdtemp()
    a, b = [tf.Variable(float(i + 1), name=n) for i, n in enumerate("ab")]
    optimizer = tf.train.MomentumOptimizer(0.1, 0.9)
    train = optimizer.minimize(a * a * b)
    with _start(tf) as session:
        session.run(train)
        path = tf.train.Checkpoint(opt=optimizer, a=a).write(os.path.join(folder, "model"))
        names = sorted(tf.train.NewCheckpointReader(path).get_variable_to_shape_map())
        slot = session.run(optimizer.get_slot(a, "momentum"))
        session.run(train)
        root = tf.train.Checkpoint(opt=optimizer, a=a)
        root.restore(path).run_restore_ops()
        return {"names": names, "slot": slot, "a": session.run(optimizer.get_slot(a, "momentum"))}


def manager(tf, np):
    folder = tempfile.mkdtemp()
    a = tf.Variable(1.0, name="a")
    step = tf.Variable(7, name="step")
    root = tf.train.Checkpoint(a=a)
    with _start(tf) as session:
        first = tf.train.CheckpointManager(root, folder, max_to_keep=2)
        found = {"none": str(first.latest_checkpoint), "empty": len(first.checkpoints)}
        for i in range(3):
            session.run(a.assign(float(i)))
            first.save()
        found["kept"] = [os.path.basename(p) for p in first.checkpoints]
        found["files"] = sorted(os.listdir(folder))
        second = tf.train.CheckpointManager(root, folder, 2, checkpoint_name="other")
        found["latest"] = os.path.basename(second.latest_checkpoint)
        found["numbered"] = os.path.basename(second.save(checkpoint_number=step))
        found["by_hand"] = os.path.basename(second.save(checkpoint_number=100))
        found["after"] = [os.path.basename(p) for p in second.checkpoints]
        found["left"] = sorted(os.listdir(folder))
        root.restore(first.latest_checkpoint).expect_partial()
        with open(os.path.join(folder, "checkpoint")) as state:
            found["state"] = [n for n in state.read().split("\n") if "timestamp" not in n]
    found["wrong"] = _error(lambda: tf.train.CheckpointManager(root, folder, 0))
    return found


def manager_that_preserves(tf, np):
    folder = tempfile.mkdtemp()
    root = tf.train.Checkpoint(a=tf.Variable(1.0, name="a"))
    with _start(tf):
        kept = tf.train.CheckpointManager(root, folder, 1, keep_checkpoint_every_n_hours=1e-9)
        for _ in range(3):
            kept.save()
        return {"files": sorted(os.listdir(folder)), "list": len(kept.checkpoints)}
