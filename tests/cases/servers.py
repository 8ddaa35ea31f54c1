"""Sessions on a server of this process: what they share, what a reset takes; other session calls."""

import os
import tempfile


def _error(call):
    """Class and first line of the error of a call, without what differs from run to run."""
    try:
        call()
    except Exception as error:
        lines = [n for n in str(error).split("\n") if not n.startswith("From /job")]
        return type(error).__name__ + ": " + lines[0].split(" {")[0]
    return "none"


def variables_stay(tf, np):
    server = tf.train.Server.create_local_server()
    v = tf.get_variable("v", initializer=1.0)
    add = tf.assign_add(v, 2.0)
    found = []
    with tf.Session(server.target) as session:
        session.run(v.initializer)
        found.append(session.run(add))
        text = session.sess_str == server.target.encode()
        devices = [d.name for d in session.list_devices() if d.device_type == "CPU"]
    with tf.Session(server.target) as session:
        found.append(session.run(v))
        other = tf.Session(server.target)
        found += [other.run(add), session.run(v)]
    with tf.Graph().as_default():
        w = tf.get_variable("v", shape=[], initializer=tf.zeros_initializer())
        with tf.Session(server.target) as session:
            found.append(session.run(w))
    return {"found": np.array(found), "text": text, "devices": devices}


def resource_variables_and_queues_stay(tf, np):
    server = tf.train.Server.create_local_server()
    v = tf.get_variable("v", initializer=1.0, use_resource=True)
    queue = tf.FIFOQueue(3, tf.float32, shared_name="shared")
    put, get = queue.enqueue(5.0), queue.dequeue()
    with tf.Session(server.target) as session:
        session.run([v.initializer, put])
    with tf.Session(server.target) as session:
        return {"v": session.run(v), "queue": session.run(get), "size": session.run(queue.size())}


def reset_takes_all(tf, np):
    server = tf.train.Server.create_local_server()
    v = tf.get_variable("v", initializer=1.0)
    session = tf.Session(server.target)
    session.run(v.initializer)
    tf.Session.reset(server.target)
    gone = _error(lambda: session.run(v)).split(" ")[0]
    with tf.Session(server.target) as session:
        uninitialized = _error(lambda: session.run(v))
        session.run(v.initializer)
        return {"gone": gone, "uninitialized": uninitialized, "again": session.run(v)}


def reset_takes_containers(tf, np):
    server = tf.train.Server.create_local_server()
    with tf.container("mine"):
        a = tf.get_variable("a", initializer=1.0)
    b = tf.get_variable("b", initializer=2.0)
    with tf.Session(server.target) as session:
        session.run(tf.global_variables_initializer())
    tf.Session.reset(server.target, ["mine"])
    with tf.Session(server.target) as session:
        return {"a": _error(lambda: session.run(a)), "b": session.run(b)}


def reset_closes_direct_sessions(tf, np):
    v = tf.get_variable("v", initializer=1.0)
    session = tf.Session()
    session.run(v.initializer)
    tf.Session.reset("")
    found = {"run": _error(lambda: session.run(v))}
    session.close()
    found["closed"] = _error(lambda: session.run(v))
    return found


def several_tasks(tf, np):
    cluster = {"ps": ["localhost:35551"], "worker": ["localhost:35552", "localhost:35553"]}
    servers = [
        tf.train.Server(cluster, job, task)
        for job, task in (("ps", 0), ("worker", 0), ("worker", 1))
    ]
    with tf.device("/job:ps"):
        shared = tf.get_variable("shared", initializer=1.0)
    with tf.device("/job:worker/task:1"):
        far = tf.get_variable("far", initializer=2.0)
    free = tf.get_variable("free", initializer=3.0)
    add = tf.assign_add(shared, far * free)
    with tf.Session(servers[1].target) as session:
        session.run(tf.global_variables_initializer())
        names = [d.name for d in session.list_devices() if d.device_type == "CPU"]
        first = session.run(add)
    with tf.Session(servers[2].target) as session:
        second = session.run([shared, far, free])
    return {"names": sorted(names), "first": first, "second": np.array(second)}


def targets(tf, np):
    return {
        "no_port": _error(lambda: tf.Session("grpc://localhost:1x")),
        "other": _error(lambda: tf.Session("nonsense://a")),
        "type": _error(lambda: tf.Session(3)),
        "place": _error(_elsewhere(tf)),
    }


def _elsewhere(tf):
    def call():
        server = tf.train.Server.create_local_server()
        with tf.Graph().as_default():
            with tf.device("/job:ps/task:0"):
                c = tf.constant(1.0, name="c")
            with tf.Session(server.target) as session:
                try:
                    session.run(c)
                except tf.errors.InvalidArgumentError as error:
                    raise ValueError(error.message.split(":")[0])

    return call


def definitions(tf, np):
    server = tf.train.Server
    one = {"a": ["localhost:0"]}
    config = tf.ConfigProto(operation_timeout_in_ms=4)
    made = server(one, config=config)
    complete = tf.train.ServerDef(
        cluster=tf.train.ClusterSpec(one).as_cluster_def(), job_name="a", protocol="grpc"
    )
    partial = tf.train.ServerDef(cluster=tf.train.ClusterSpec(one).as_cluster_def())
    return {
        "def": str(made.server_def),
        "complete": str(server(complete).server_def),
        "given": str(server(partial, "a", 0, "grpc").server_def),
        "local": str(server.create_local_server(start=False).server_def),
        "target": made.target.startswith("grpc://localhost:"),
        "no_job": _error(lambda: server({"a": ["localhost:0"]}, "b")),
        "which_job": _error(lambda: server({"a": ["localhost:0"], "b": ["localhost:0"]})),
        "which_task": _error(lambda: server({"a": ["localhost:0", "localhost:0"]})),
        "no_task": _error(lambda: server(one, task_index=3)),
        "type": _error(lambda: server(7)),
        "protocol": _error(lambda: server(one, protocol="xx")),
        "no_protocol": _error(lambda: server(partial)),
    }


def monitored_session_on_a_server(tf, np):
    server = tf.train.Server.create_local_server()
    step = tf.train.get_or_create_global_step()
    v = tf.get_variable("v", initializer=1.0)
    train = tf.group(tf.assign_add(v, 1.0), tf.assign_add(step, 1))
    with tf.train.MonitoredTrainingSession(master=server.target) as session:
        session.run(train)
        session.run(train)
    with tf.Session(server.target) as session:
        kept = session.run([v, step])
    with tf.Graph().as_default():
        tf.train.get_or_create_global_step()
        w = tf.get_variable("v", initializer=10.0)
        with tf.train.MonitoredTrainingSession(master=server.target, is_chief=False) as session:
            seen = session.run(w)
    return {"kept": np.array(kept), "seen": seen}


def supervisor_on_a_server(tf, np):
    server = tf.train.Server.create_local_server()
    folder = tempfile.mkdtemp()
    step = tf.train.get_or_create_global_step()
    v = tf.get_variable("v", initializer=1.0)
    train = tf.group(tf.assign_add(v, 1.0), tf.assign_add(step, 1))
    chief = tf.train.Supervisor(logdir=folder, global_step=step, save_model_secs=0)
    with chief.managed_session(server.target) as session:
        for _ in range(3):
            session.run(train)
        chief.saver.save(session, os.path.join(folder, "model.ckpt"), global_step=step)
        seen = session.run(v)
    with tf.Session(server.target) as session:
        kept = session.run(v)
    return {
        "seen": seen,
        "kept": kept,
        "saved": os.path.basename(tf.train.latest_checkpoint(folder)),
    }


def time_limits(tf, np):
    queue = tf.FIFOQueue(1, tf.float32)
    get, put = queue.dequeue(), queue.enqueue(1.0)
    short = tf.RunOptions(timeout_in_ms=50)
    found = {}
    with tf.Session() as session:
        found["get"] = _error(lambda: session.run(get, options=short))
        session.run(put)
        found["put"] = _error(lambda: session.run(put, options=short))
        found["fine"] = session.run(get, options=short)
        call = session.make_callable(get, accept_options=True)
        found["callable"] = _error(lambda: call(options=short))
    with tf.Session(config=tf.ConfigProto(operation_timeout_in_ms=50)) as session:
        found["config"] = _error(lambda: session.run(get))
        session.run(put)
        found["left"] = session.run(queue.size())
    return found


def callables(tf, np):
    x = tf.placeholder(tf.float32, [2], name="x")
    y = tf.multiply(x, 2.0, name="y")
    session = tf.Session()
    two = session.make_callable({"a": y, "b": [x, y.op]}, feed_list=[x])
    metadata = tf.RunMetadata()
    traced = session.make_callable(y, feed_list=["x:0"], accept_options=True)
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    found = {
        "two": two([1, 2])["a"],
        "operation": str(two([1, 2])["b"][1]),
        "alone": str(session.make_callable(y.op, feed_list=[x])([1, 2])),
        "traced": traced([1, 2], options=options, run_metadata=metadata),
        "stats": len(metadata.step_stats.dev_stats) > 0,
        "few": _error(lambda: two()),
        "shape": _error(lambda: two([1, 2, 3])),
        "none": _error(lambda: session.make_callable([])()),
        "list": _error(lambda: session.make_callable(y, feed_list=x)),
    }
    session.close()
    found["closed"] = _error(lambda: two([1, 2]))
    found["devices"] = _error(session.list_devices)
    return found
