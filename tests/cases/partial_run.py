"""Session.partial_run: one run, fed and fetched in several calls."""


def _graph(tf):
    a, b, c = [tf.placeholder(tf.float32, [], name=n) for n in "abc"]
    first = tf.add(a, b, name="first")
    return a, b, c, first, tf.multiply(first, c, name="second")


def in_two_calls(tf, np):
    a, b, c, first, second = _graph(tf)
    with tf.Session() as session:
        handle = session.partial_run_setup([first, second], [a, b, c])
        one = session.partial_run(handle, first, feed_dict={a: 1, b: 2})
        two = session.partial_run(handle, second, feed_dict={c: one * 17})
    return {"handle": handle, "one": one, "two": two}


def structures_names_and_feeds_alone(tf, np):
    a, b, c, first, second = _graph(tf)
    with tf.Session() as session:
        handle = session.partial_run_setup(["first:0", second], ["a:0", b, c])
        none = session.partial_run(handle, [], feed_dict={a: 1, "b:0": 1})
        one = session.partial_run(handle, {"x": first})
        two = session.partial_run(handle, [second], feed_dict={c: 3})
    return {"none": len(none), "one": one["x"], "two": two[0]}


def computed_once(tf, np):
    a = tf.placeholder(tf.float32, [], name="a")
    v = tf.get_variable("v", initializer=1.0)
    step = tf.assign_add(v, 2.0)
    more = step * a
    noise = tf.random_uniform([3])
    other = noise * a
    with tf.Session() as session:
        session.run(v.initializer)
        handle = session.partial_run_setup([step, more, noise, other], [a])
        one, drawn = session.partial_run(handle, [step, noise])
        two, scaled = session.partial_run(handle, [more, other], feed_dict={a: 10.0})
        after = session.run(v)
    return {"one": one, "two": two, "after": after, "same": np.allclose(drawn * 10, scaled)}


def several_at_once(tf, np):
    a, b, c, first, second = _graph(tf)
    found = []
    with tf.Session() as session:
        handles = [session.partial_run_setup([first, second], [a, b, c]) for _ in range(2)]
        for i, handle in enumerate(handles):
            found.append(session.partial_run(handle, first, {a: i * 10, b: 2}))
        for handle in handles:
            found.append(session.partial_run(handle, second, {c: 2}))
    return {"found": found, "handles": handles}


def _fails(call):
    """A case that takes a run to its end, with one wrong call in between."""

    def case(tf, np):
        a, b, c, first, second = _graph(tf)
        with tf.Session() as session:
            handle = session.partial_run_setup([first, second], [a, b, c])
            session.partial_run(handle, first, feed_dict={a: 1, b: 2})
            try:
                call(tf, session, handle, a, b, c, first, second)
            finally:
                session.partial_run(handle, second, feed_dict={c: 1})

    return case


WRONG = {
    "fetched_before": lambda tf, s, h, a, b, c, first, second: s.partial_run(h, first),
    "fed_before": lambda tf, s, h, a, b, c, first, second: s.partial_run(h, second, {a: 1}),
    "not_fed_yet": lambda tf, s, h, a, b, c, first, second: s.partial_run(h, second),
    "feed_not_named": lambda tf, s, h, a, b, c, first, second: s.partial_run(
        h, second, {tf.placeholder(tf.float32, [], name="z"): 1}
    ),
    "fetch_not_named": lambda tf, s, h, a, b, c, first, second: s.partial_run(h, c + 1, {c: 1}),
    "operation": lambda tf, s, h, a, b, c, first, second: s.partial_run(h, second.op, {c: 1}),
    "unknown_handle": lambda tf, s, h, a, b, c, first, second: s.partial_run("no", second, {c: 1}),
    "wrong_shape": lambda tf, s, h, a, b, c, first, second: s.partial_run(h, second, {c: [1, 2]}),
    "nothing_to_fetch": lambda tf, s, h, a, b, c, first, second: s.partial_run_setup([], [a]),
    "unknown_fetch": lambda tf, s, h, a, b, c, first, second: s.partial_run_setup(["zz:0"], [a]),
}
CASES = {"wrong_" + name: _fails(call) for name, call in WRONG.items()}


def wrong_after_the_end(tf, np):
    a, b, c, first, _ = _graph(tf)
    with tf.Session() as session:
        handle = session.partial_run_setup([first], [a, b])
        session.partial_run(handle, first, {a: 1, b: 2})
        session.partial_run(handle, first, {a: 1, b: 2})


def wrong_closed_session(tf, np):
    a, b, c, first, _ = _graph(tf)
    session = tf.Session()
    session.close()
    session.partial_run_setup([first], [a, b])


def wrong_empty_graph(tf, np):
    tf.Session(graph=tf.Graph()).partial_run_setup([], [])
