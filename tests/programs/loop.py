"""The training loop that the programs with a session of their own share."""

SEED = 1


def graph(tf, build):
    """A graph of `build`, seeded, and its endpoints."""
    made = tf.Graph()
    with made.as_default():
        tf.set_random_seed(SEED)
        return made, build(tf)


def values(session, variables):
    """{name: array} of variables."""
    return {v.op.name: value for v, value in zip(variables, session.run(variables))}


def train(tf, build, feed, steps, config=None):
    """Train for `steps` steps; step i feeds `feed(endpoints, i)`.

    The loss is read in the run that trains, except when the endpoints say that something else
    writes the variables that it reads while it is computed (`loss_apart`).
    """
    made, ends = graph(tf, build)
    losses = []
    with made.as_default(), tf.Session(config=config) as session:
        variables = tf.global_variables()
        session.run(tf.global_variables_initializer())
        before = values(session, variables)
        for step in range(steps):
            fed = feed(ends, step)
            if ends.get("loss_apart"):
                losses.append(session.run(ends["loss"], fed))
                session.run(ends["train"], fed)
            else:
                losses.append(session.run([ends["loss"], ends["train"]], fed)[0])
        after = values(session, variables)
    return {"losses": losses, "before": before, "after": after}


def export(tf, build, feed, path):
    """Write the MetaGraph and a checkpoint of the initial values; what a step feeds and gives."""
    made, ends = graph(tf, build)
    with made.as_default(), tf.Session() as session:
        saver = ends.get("saver") or tf.train.Saver()
        session.run(tf.global_variables_initializer())
        saver.save(session, path, write_state=False)
    return {
        "feeds": {t.name: value for t, value in feed(ends, 0).items()},
        "loss": ends["loss"].name,
        "output": ends["output"].name,
        "train": ends["train"].name,
    }
