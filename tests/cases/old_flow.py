"""Switch, Merge, loops, stacks and TensorArrays, node by node, as old graphs hold them."""


def _error(call):
    try:
        call()
    except Exception as error:
        text = str(error).split("\n")[0]
        return type(error).__name__ + ": " + text.split("TensorArray index")[-1].split(": ", 1)[-1]
    return "none"


def switch_and_merge(tf, np):
    r = tf.raw_ops
    x = tf.constant([1.0, 2.0])
    found = {}
    for name in ("true", "false"):
        off, on = r.Switch(data=x, pred=tf.constant(name == "true"))
        merged = r.Merge(inputs=[tf.square(off), on * 3.0])
        found[name] = merged[0]
        found[name + "_index"] = merged[1]
        found[name + "_gradient"] = tf.gradients(merged[0], x)[0]
    return found


switch_and_merge.nodes = False  # the order in which gradients of two losses are named


def references(tf, np):
    r = tf.raw_ops
    v = tf.get_variable("v", initializer=[1.0, 2.0])
    p = tf.placeholder(tf.bool, [])
    off, on = r.RefSwitch(data=v._ref(), pred=p)
    merged = r.RefMerge(inputs=[off, on])
    y = merged[0] * 3.0
    grad = tf.gradients(y, v._ref())
    with tf.Session() as session:
        session.run(v.initializer)
        found = {"y": session.run(y, {p: True}), "index": session.run(merged[1], {p: True})}
        found["gradient"] = session.run(grad[0], {p: False})
        changed = r.Assign(ref=on, value=[5.0, 6.0], validate_shape=True, use_locking=True)
        session.run(changed.op if hasattr(changed, "op") else changed, {p: False})
        found["kept"] = session.run(v)
        session.run(changed.op if hasattr(changed, "op") else changed, {p: True})
        found["changed"] = session.run(v)
    return found


references.nodes = False


def loop(tf, np):
    r = tf.raw_ops
    n = tf.placeholder(tf.int32, [])
    i = r.Enter(data=tf.constant(0), frame_name="frame")
    a = r.Enter(data=tf.constant(1.0), frame_name="frame")
    limit, one, two = [
        r.Enter(data=d, frame_name="frame", is_constant=True)
        for d in (n, tf.constant(1), tf.constant(2.0))
    ]
    merge_i = r.Merge(inputs=[i, i])[0]
    merge_a = r.Merge(inputs=[a, a])[0]
    going = r.LoopCond(input=tf.less(merge_i, limit))
    i_out, i_on = r.Switch(data=merge_i, pred=going)
    a_out, a_on = r.Switch(data=merge_a, pred=going)
    merge_i.op._update_input(1, r.NextIteration(data=tf.add(i_on, one)))
    merge_a.op._update_input(1, r.NextIteration(data=a_on * two))
    ends = [r.Exit(data=i_out), r.Exit(data=a_out)]
    with tf.Session() as session:
        return {str(k): np.array(session.run(ends, {n: k})) for k in (0, 1, 5)}


def stacks(tf, np):
    r = tf.raw_ops
    stack = r.StackV2(max_size=-1, elem_type=tf.float32, stack_name="s")
    first = r.StackPushV2(handle=stack, elem=1.0)
    with tf.control_dependencies([first]):
        second = r.StackPushV2(handle=stack, elem=[2.0, 3.0])
    with tf.control_dependencies([second]):
        top = r.StackPopV2(handle=stack, elem_type=tf.float32)
    with tf.control_dependencies([top]):
        below = r.StackPopV2(handle=stack, elem_type=tf.float32)
    with tf.control_dependencies([below]):
        empty = r.StackPopV2(handle=stack, elem_type=tf.float32)
        closed = r.StackCloseV2(handle=stack)
    with tf.Session() as session:
        found = dict(zip(("first", "top", "below"), session.run([first, top, below, closed])[:3]))
        # TensorFlow numbers the stacks of a step.
        found["empty"] = _error(lambda: session.run(empty)).split("] ")[-1]
    return found


def older_stacks(tf, np):
    r = tf.raw_ops
    stack = r.Stack(elem_type=tf.float32, stack_name="s")
    first = r.StackPush(handle=stack, elem=1.0)
    with tf.control_dependencies([first]):
        top = r.StackPop(handle=stack, elem_type=tf.float32)
    with tf.control_dependencies([top]):
        closed = r.StackClose(handle=stack)
    with tf.Session() as session:
        return {"top": session.run([top, closed])[0]}


def _array(tf, size=3, **options):
    return tf.raw_ops.TensorArrayV3(size=size, dtype=options.pop("dtype", tf.float32), **options)


def _write(tf, array, flow, pairs):
    for index, value in pairs:
        flow = tf.raw_ops.TensorArrayWriteV3(handle=array, index=index, value=value, flow_in=flow)
    return flow


def arrays(tf, np):
    r = tf.raw_ops
    array, flow = _array(tf, clear_after_read=False)
    flow = _write(tf, array, flow, [(0, [1.0, 2.0]), (2, [3.0, 4.0]), (1, [5.0, 6.0])])
    read = r.TensorArrayReadV3(handle=array, index=2, flow_in=flow, dtype=tf.float32)
    gathered = r.TensorArrayGatherV3(
        handle=array, indices=[2, 0], flow_in=flow, dtype=tf.float32, element_shape=[2]
    )
    joined = r.TensorArrayConcatV3(handle=array, flow_in=flow, dtype=tf.float32)
    size = r.TensorArraySizeV3(handle=array, flow_in=flow)
    with tf.control_dependencies([read, gathered, joined[0], size]):
        closed = r.TensorArrayCloseV3(handle=array)
    with tf.Session() as session:
        values = session.run([read, gathered, joined[0], joined[1], size, closed])
    return dict(zip(("read", "gathered", "joined", "lengths", "size"), values))


def filled_arrays(tf, np):
    r = tf.raw_ops
    array, flow = _array(tf, 0, dynamic_size=True)
    flow = r.TensorArrayScatterV3(handle=array, indices=[3, 1], value=[[1.0], [2.0]], flow_in=flow)
    split, split_flow = _array(tf, 2, dtype=tf.string)
    split_flow = r.TensorArraySplitV3(
        handle=split,
        value=["a", "b", "c"],
        lengths=np.array([1, 2], np.int64),
        flow_in=split_flow,
    )
    return {
        "size": r.TensorArraySizeV3(handle=array, flow_in=flow),
        "row": r.TensorArrayReadV3(handle=array, index=1, flow_in=flow, dtype=tf.float32),
        "part": r.TensorArrayReadV3(handle=split, index=1, flow_in=split_flow, dtype=tf.string),
    }


def gradient_arrays(tf, np):
    r = tf.raw_ops
    array, flow = _array(tf, element_shape=[2])
    grad, grad_flow = r.TensorArrayGradV3(handle=array, flow_in=flow, source="gradients")
    grad_flow = _write(tf, grad, grad_flow, [(0, [1.0, 2.0]), (0, [5.0, 6.0])])
    wide, wide_flow = r.TensorArrayGradWithShape(
        handle=array, flow_in=flow, shape_to_prepend=[3], source="wide"
    )
    return {
        "sum": r.TensorArrayReadV3(handle=grad, index=0, flow_in=grad_flow, dtype=tf.float32),
        "none": r.TensorArrayReadV3(handle=grad, index=1, flow_in=grad_flow, dtype=tf.float32),
        "wide": r.TensorArrayReadV3(handle=wide, index=1, flow_in=wide_flow, dtype=tf.float32),
    }


def array_errors(tf, np):
    r = tf.raw_ops

    def read(array, flow, index=0, dtype=tf.float32):
        return r.TensorArrayReadV3(handle=array, index=index, flow_in=flow, dtype=dtype)

    array, flow = _array(tf)
    same, same_flow = _array(tf, identical_element_shapes=True)
    shaped, shaped_flow = _array(tf, element_shape=[2])
    two = _write(tf, array, flow, [(0, [1.0]), (1, [1.0, 2.0])])
    twice = read(array, _write(tf, array, flow, [(0, 1.0)]))
    with tf.control_dependencies([twice]):
        twice = read(array, flow)
    held = tf.placeholder_with_default([1.0, 2.0, 3.0], None)
    calls = {
        "unwritten": read(array, flow),
        "out_of_range": read(array, flow, 5),
        "type": read(array, flow, 0, tf.int32),
        "write_out_of_range": _write(tf, array, flow, [(3, 1.0)]),
        "write_twice": _write(tf, array, flow, [(1, 1.0), (1, 2.0)]),
        "write_type": _write(tf, array, flow, [(1, 1)]),
        "read_twice": twice,
        "shape": _write(tf, shaped, shaped_flow, [(0, held)]),
        "identical": _write(tf, same, same_flow, [(0, [1.0]), (1, [1.0, 2.0])]),
        "gather": r.TensorArrayGatherV3(
            handle=array, indices=[0, 1], flow_in=two, dtype=tf.float32
        ),
        "concat": r.TensorArrayConcatV3(
            handle=array,
            flow_in=_write(tf, array, flow, [(0, 1.0), (1, 1.0), (2, 1.0)]),
            dtype=tf.float32,
        ),
        "split": r.TensorArraySplitV3(
            handle=array, value=[1.0, 2.0], lengths=np.array([1, 1], np.int64), flow_in=flow
        ),
        "split_sum": r.TensorArraySplitV3(
            handle=array, value=[1.0, 2.0], lengths=np.array([1, 1, 1], np.int64), flow_in=flow
        ),
        "empty": r.TensorArrayGatherV3(
            handle=array, indices=tf.zeros([0], tf.int32), flow_in=flow, dtype=tf.float32
        ),
        "size": _array(tf, -1)[1],
    }
    with tf.Session() as session:
        return {name: _error(lambda c=call: session.run(c)) for name, call in calls.items()}
