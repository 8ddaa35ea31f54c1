"""Element-wise maths: every op over types and shapes, its gradients, and what it refuses."""

CASES = {}

_REAL = [-2.5, -1.0, -0.5, 0.0, 0.25, 0.5, 1.5, 3.0]
_POSITIVE = [0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 5.0, 20.0]
_UNIT = [-0.99, -0.5, -0.25, 0.0, 0.1, 0.3, 0.6, 0.95]
_ODD = [float("nan"), float("inf"), float("-inf"), -0.0]
_INTEGERS = [-7, -3, -1, 0, 1, 2, 5, 9]
_COMPLEX = [0.5 + 0.5j, -1.0 + 2.0j, 0.25 - 0.75j, 1.5 + 0.1j]

# name: (values, types beside float32, differentiable)
_UNARY = {
    "abs": (_REAL, "half double int32 int64", True),
    "negative": (_REAL, "half double int32 int64 complex64", True),
    "reciprocal": (_POSITIVE, "half double complex64", True),
    "square": (_REAL, "half double int32 int64 complex64 complex128", True),
    "sqrt": (_POSITIVE, "half double complex64", True),
    "rsqrt": (_POSITIVE, "half double complex64", True),
    "exp": (_REAL, "half double complex64 bfloat16", True),
    "expm1": (_REAL, "half double complex64", True),
    "log": (_POSITIVE, "half double complex64", True),
    "log1p": (_POSITIVE, "half double complex64", True),
    "sin": (_REAL, "half double complex64", True),
    "cos": (_REAL, "half double complex64", True),
    "tan": (_UNIT, "half double complex64", True),
    "asin": (_UNIT, "half double", True),
    "acos": (_UNIT, "half double", True),
    "atan": (_REAL, "half double", True),
    "sinh": (_REAL, "double complex64", True),
    "cosh": (_REAL, "double complex64", True),
    "tanh": (_REAL, "half double complex64", True),
    "asinh": (_REAL, "double complex64", True),
    "acosh": ([1.5, 2.0, 3.0, 4.5, 10.0], "double complex64", True),
    "atanh": (_UNIT, "double complex64", True),
    "sigmoid": (_REAL, "half double complex64", True),
    "sign": (_REAL, "half double int32 int64 complex64", True),
    "floor": (_REAL, "half double", True),
    "ceil": (_REAL, "half double", True),
    "rint": (_REAL, "double", True),
    "round": (_REAL, "half double int32", True),
    "erf": (_REAL, "half double", True),
    "erfc": (_REAL, "half double", True),
    "lgamma": (_POSITIVE, "half double", True),
    "digamma": (_POSITIVE, "half double", True),
    "is_nan": (_REAL, "half double", False),
    "is_inf": (_REAL, "half double", False),
    "is_finite": (_REAL, "half double", False),
    "log_sigmoid": (_REAL, "half double", True),
    "conj": (_REAL, "double complex64 complex128", True),
    "real": (_REAL, "double complex64 complex128", True),
    "imag": (_REAL, "double complex64 complex128", True),
    "angle": (_REAL, "double complex64 complex128", True),
}
_MATH = {
    "bessel_i0e": _REAL,
    "bessel_i1e": _REAL,
    "bessel_i0": _REAL,
    "bessel_i1": _REAL,
    "reciprocal_no_nan": _REAL,
}


def _values_for(np, dtype, values):
    if "int" in dtype:
        return np.array(_INTEGERS).astype(dtype)
    if "complex" in dtype:
        return np.array(_COMPLEX, dtype)
    return np.array(values, np.float32)


def _input(tf, np, dtype, values):
    array = _values_for(np, dtype, values)
    return tf.constant(
        array,
        {"half": "float16", "double": "float64"}.get(dtype, dtype)
        if "complex" not in dtype and "int" not in dtype
        else dtype,
    )


def _unary(function, values, types, differentiable):
    def case(tf, np):
        apply = getattr(tf, function, None) or getattr(tf.math, function)
        results = {}
        for dtype in ["float32", *types.split()]:
            x = _input(tf, np, dtype, values)
            results[dtype] = apply(x)
        if not differentiable:
            return results
        x = tf.constant(np.array(values, np.float32))
        y = apply(x)
        first = tf.gradients(y, x, grad_ys=tf.constant(0.5, shape=[len(values)]))[0]
        if first is not None:
            results["gradient"] = first
            second = tf.gradients(first, x)[0]
            if second is not None:
                results["second"] = second
        if "double" in types:
            x = tf.constant(np.array(values, np.float64).reshape(2 - len(values) % 2, -1))
            results["double gradient"] = tf.gradients(apply(x), x)[0]
        if "complex64" in types:
            x = tf.constant(np.array(_COMPLEX, np.complex64))
            y = apply(x)
            if y.dtype.is_complex:
                seed = tf.constant(np.array([1, 1j, 0.5 - 0.5j, 2], np.complex64))
            else:
                seed = tf.constant(np.array([1, -1, 0.5, 2], np.float32))
            results["complex gradient"] = tf.gradients(y, x, grad_ys=seed)[0]
        return {k: v for k, v in results.items() if v is not None}

    return case


for _name, _row in _UNARY.items():
    CASES[_name] = _unary(_name, *_row)
for _name, _values in _MATH.items():
    CASES[_name] = _unary(_name, _values, "half double", True)


def _odd(function):
    def case(tf, np):
        apply = getattr(tf, function, None) or getattr(tf.math, function)
        return {
            "odd": apply(tf.constant(_ODD)),
            "empty": apply(tf.zeros([2, 0])),
            "scalar": apply(tf.constant(0.5)),
        }

    return case


for _name in list(_UNARY) + list(_MATH):
    CASES["odd_" + _name] = _odd(_name)

# -- two inputs ------------------------------------------------------------------------------------

_BINARY = {  # name: (left, right, types, differentiable)
    "add": (_REAL, _UNIT, "half double int32 int64 complex64 bfloat16 uint8 int8", True),
    "subtract": (_REAL, _UNIT, "half double int32 int64 complex64", True),
    "multiply": (_REAL, _UNIT, "half double int32 int64 complex64 uint8", True),
    "divide": (_REAL, _POSITIVE, "half double complex64 int32", True),
    "truediv": (_REAL, _POSITIVE, "half double int32 int8 int64", True),
    "div": (_REAL, _POSITIVE, "half double int32 int64 complex64", True),
    "realdiv": (_REAL, _POSITIVE, "half double", True),
    "floordiv": (_REAL, _POSITIVE, "half double int32 int64", True),
    "floor_div": (_REAL, _POSITIVE, "double int32", True),
    "truncatediv": (_INTEGERS, _INTEGERS, "int32 int64", False),
    "mod": (_REAL, _POSITIVE, "double int32 int64", True),
    "floormod": (_REAL, _POSITIVE, "double int32", True),
    "truncatemod": (_REAL, _POSITIVE, "double int32", False),
    "div_no_nan": (_REAL, _REAL, "double", True),
    "maximum": (_REAL, _UNIT, "half double int32 int64", True),
    "minimum": (_REAL, _UNIT, "half double int32 int64", True),
    "squared_difference": (_REAL, _UNIT, "half double int32 complex64", True),
    "pow": (_POSITIVE, _REAL, "half double complex64", True),
    "atan2": (_REAL, _POSITIVE, "double", True),
    "less": (_REAL, _UNIT, "half double int32 uint8", False),
    "less_equal": (_REAL, _UNIT, "half double int32", False),
    "greater": (_REAL, _UNIT, "half double int64", False),
    "greater_equal": (_REAL, _UNIT, "half double int32", False),
    "equal": (_REAL, _REAL, "half double int32 complex64", False),
    "not_equal": (_REAL, _UNIT, "half double int32 complex64", False),
    "igamma": (_POSITIVE, _POSITIVE[::-1], "double", True),
    "igammac": (_POSITIVE, _POSITIVE[::-1], "double", True),
    "zeta": ([1.5, 2.0, 3.0, 4.5, 10.0], [0.5, 1.0, 2.5, 3.0, 0.25], "double", True),
    "polygamma": ([0.0, 1.0, 2.0, 3.0, 4.0], [0.5, 1.0, 2.5, 3.0, 0.25], "double", True),
}
_MATH_BINARY = {
    "xdivy": (_REAL, _POSITIVE, "half double complex64", True),
    "xlogy": (_REAL, _POSITIVE, "half double complex64", True),
    "multiply_no_nan": (_REAL, _REAL, "double", True),
    "nextafter": (_REAL, _UNIT, "double", True),
}


def _nonzero(np, dtype):
    values = np.array(_INTEGERS[::-1]).astype(dtype)
    values[values == 0] = 4
    return values


def _binary(function, left, right, types, differentiable):
    def case(tf, np):
        apply = getattr(tf, function, None) or getattr(tf.math, function)
        results = {}
        floats = [] if types.startswith("int32 int64") else ["float32"]
        for dtype in floats + types.split():
            if "int" in dtype:
                x, y = np.array(_INTEGERS).astype(dtype), _nonzero(np, dtype)
                results[dtype] = apply(tf.constant(x), tf.constant(y))
                continue
            x = _input(tf, np, dtype, left)
            y = _input(tf, np, dtype, right)
            results[dtype] = apply(x, y)
        if not floats:
            return results
        column = tf.constant(np.array(left[:4], np.float32).reshape(4, 1))
        row = tf.constant(np.array(right[:3], np.float32))
        results["broadcast"] = apply(column, row)
        if not differentiable:
            return results

        def note(label, x, y, z):
            for i, grad in enumerate(tf.gradients(z, [x, y])):
                if grad is not None:
                    results["%s %d" % (label, i)] = grad

        x = tf.constant(np.array(left, np.float32))
        y = tf.constant(np.array(right, np.float32))
        note("gradient", x, y, apply(x, y))
        note("broadcast gradient", column, row, apply(column, row))
        scalar = tf.constant(np.float32(right[-1]))
        note("scalar gradient", x, scalar, apply(x, scalar))
        loose = tf.placeholder_with_default(np.array(left[:4], np.float32), [None])
        note("loose gradient", loose, scalar, apply(loose, scalar))
        if "complex64" in types:
            x = tf.constant(np.array(_COMPLEX, np.complex64))
            y = tf.constant(np.array(_COMPLEX[::-1], np.complex64))
            seed = tf.constant(np.array([1, 1j, 0.5 - 0.5j, 2], np.complex64))
            for i, grad in enumerate(tf.gradients(apply(x, y), [x, y], grad_ys=seed)):
                results["complex gradient %d" % i] = grad
        return results

    return case


for _name, _row in _BINARY.items():
    CASES[_name] = _binary(_name, *_row)
for _name, _row in _MATH_BINARY.items():
    CASES[_name] = _binary(_name, *_row)


def _odd_binary(function):
    def case(tf, np):
        apply = getattr(tf, function, None) or getattr(tf.math, function)
        odd = np.array([*_ODD, 1.0, -2.0], np.float32)
        return {
            "odd": apply(tf.constant(odd.reshape(6, 1)), tf.constant(odd)),
            "empty": apply(tf.zeros([2, 0]), tf.zeros([2, 1])),
        }

    return case


for _name in (
    "add",
    "multiply",
    "divide",
    "floordiv",
    "mod",
    "div_no_nan",
    "maximum",
    "minimum",
    "pow",
    "atan2",
    "less",
    "equal",
    "not_equal",
    "xdivy",
    "xlogy",
    "multiply_no_nan",
):
    CASES["odd_" + _name] = _odd_binary(_name)


def _bad_shapes(function):
    def static(tf, np):
        return {"y": getattr(tf, function)(tf.zeros([2, 3]), tf.zeros([2]))}

    def dynamic(tf, np):
        x = tf.placeholder_with_default(np.zeros([3], np.float32), [None])
        return {"y": getattr(tf, function)(x, tf.constant([1.5, 2.5]))}

    return static, dynamic


for _name in ("add", "multiply", "divide", "maximum", "pow", "less", "equal"):
    CASES["static_mismatch_" + _name], CASES["mismatch_" + _name] = _bad_shapes(_name)


def type_mismatch(tf, np):
    return {"y": tf.constant(1.0) + tf.constant(1)}


def type_mismatch_literal(tf, np):
    return {"y": tf.constant(1) + 2.5}


def literal_of_float(tf, np):
    x = tf.constant(1.5, tf.float64)
    return {"a": x + 1, "b": 2 * x, "c": x - np.float64(0.5), "d": 3 / x, "e": 7.0 // x, "f": x**2}


def integer_division_by_zero(tf, np):
    zero = tf.placeholder_with_default(0, [])
    return {"y": tf.constant([1, 2]) // zero}


def integer_modulo_by_zero(tf, np):
    zero = tf.placeholder_with_default(0, [])
    return {"y": tf.constant([1, 2]) % zero}


def integer_negative_power(tf, np):
    return {"y": tf.pow(tf.constant([2, 3]), tf.placeholder_with_default(-1, []))}


def integer_power(tf, np):
    return {
        "y": tf.pow(tf.constant([2, 3, -2]), tf.constant([3, 0, 5])),
        "wide": tf.pow(tf.constant([2, 3], tf.int64), 10),
    }


def operators(tf, np):
    x = tf.constant([[1.0, -2.0], [3.5, 0.25]])
    i = tf.constant([7, -7, 3])
    b = tf.constant([True, False, True])
    c = tf.constant([True, True, False])
    return {
        "add": x + 1.0,
        "radd": 1.0 + x,
        "sub": x - 2.0,
        "rsub": 2.0 - x,
        "mul": x * x,
        "rmul": 3.0 * x,
        "div": x / 2.0,
        "rdiv": 2.0 / x,
        "floor": x // 2.0,
        "mod": x % 2.0,
        "pow": x**2.0,
        "neg": -x,
        "abs": abs(x),
        "matmul": x @ x,
        "lt": x < 1.0,
        "le": x <= 1.0,
        "gt": x > 1.0,
        "ge": x >= 1.0,
        "and": b & c,
        "or": b | c,
        "xor": b ^ c,
        "not": ~b,
        "ifloor": i // 2,
        "imod": i % 3,
        "idiv": i / 2,
        "array": np.ones([2, 2], np.float32) + x,
        "rpow": 2.0**x,
        "rmod": 7.0 % tf.constant(3.0),
        "rand": True & b,
    }


def add_strings(tf, np):
    return {
        "y": tf.add(tf.constant(["a", "b"]), tf.constant("c")),
        "z": tf.constant(["x"]) + "y",
        "scalar": tf.add("a", "b"),
    }


def compare_strings(tf, np):
    x = tf.constant(["a", "b"])
    return {"eq": tf.equal(x, "a"), "ne": tf.not_equal(x, tf.constant(["a", "c"]))}


def compare_bools(tf, np):
    x = tf.constant([True, False])
    return {
        "eq": tf.equal(x, True),
        "and": tf.logical_and(x, True),
        "or": tf.logical_or(x, False),
        "not": tf.logical_not(x),
        "xor": tf.logical_xor(x, True),
    }


def casts(tf, np):
    floats = tf.constant([-2.7, -0.5, 0.0, 0.5, 1.5, 100.9])
    ints = tf.constant([-3, 0, 1, 300])
    bools = tf.constant([True, False])
    complexes = tf.constant(np.array([1.5 - 2j, 0j, -1j], np.complex64))
    targets = [
        tf.float16,
        tf.float64,
        tf.int8,
        tf.int32,
        tf.int64,
        tf.bool,
        tf.complex64,
        tf.bfloat16,
    ]
    results = {}
    for label, x in (("float", floats), ("int", ints), ("bool", bools)):
        for dtype in targets:
            results[label + " " + dtype.name] = tf.cast(tf.cast(x, dtype), tf.complex128)
    results["complex real"] = tf.cast(complexes, tf.float32)
    results["uint8"] = tf.cast(ints, tf.uint8)
    results["uint16"] = tf.cast(ints, tf.uint16)
    results["float uint8"] = tf.cast(tf.constant([0.5, 3.7, 200.0]), tf.uint8)
    return results


def cast_names(tf, np):
    x = tf.constant([1.5, 2.5])
    return {
        "float": tf.to_float(tf.constant([1])),
        "double": tf.to_double(x),
        "int32": tf.to_int32(x),
        "int64": tf.to_int64(x),
        "same": tf.cast(x, tf.float32),
        "complex": tf.to_complex64(x),
        "complex128": tf.to_complex128(x),
        "bfloat16": tf.to_float(tf.to_bfloat16(x)),
        "python": tf.cast(3, tf.float32),
    }


def cast_gradient(tf, np):
    x = tf.constant([1.0, 2.0])
    return {
        "y": tf.gradients(tf.cast(x, tf.float64), x)[0],
        "half": tf.gradients(tf.cast(x, tf.float16) * 2, x)[0],
        "none": tf.gradients(tf.cast(tf.cast(x, tf.int32), tf.float32), x)[0] is None,
    }


def saturate_casts(tf, np):
    x = tf.constant([-1000.0, -3.0, 0.0, 99.9, 3000.0])
    return {
        "uint8": tf.saturate_cast(x, tf.uint8),
        "int8": tf.saturate_cast(x, tf.int8),
        "wide": tf.saturate_cast(tf.constant([-5, 300]), tf.uint8),
    }


def complex_parts(tf, np):
    z = tf.complex(tf.constant([1.0, -2.0]), tf.constant([0.5, 3.0]))
    re, im = tf.constant([1.0, -2.0]), tf.constant([[0.5], [3.0]])
    w = tf.complex(re, im)
    grads = tf.gradients(tf.abs(w), [re, im])
    return {
        "z": z,
        "abs": tf.abs(z),
        "real": tf.real(z),
        "imag": tf.imag(z),
        "conj": tf.conj(z),
        "angle": tf.angle(z),
        "wide": tf.complex(tf.constant(1.0, tf.float64), tf.constant(2.0, tf.float64)),
        "re": grads[0],
        "im": grads[1],
    }


def complex_types_differ(tf, np):
    return {"z": tf.complex(tf.constant(1.0), tf.constant(1.0, tf.float64))}


def bitwise(tf, np):
    results = {}
    for dtype in (np.int8, np.int32, np.int64, np.uint8, np.uint16):
        x = tf.constant(np.array([0, 1, 5, 120, 77], dtype))
        y = tf.constant(np.array([3, 1, 4, 96, 2], dtype))
        name = np.dtype(dtype).name
        results["and " + name] = tf.bitwise.bitwise_and(x, y)
        results["or " + name] = tf.bitwise.bitwise_or(x, y)
        results["xor " + name] = tf.bitwise.bitwise_xor(x, y)
        results["not " + name] = tf.bitwise.invert(x)
        results["left " + name] = tf.bitwise.left_shift(
            x, tf.constant(np.array([1, 2, 3, 1, 0], dtype))
        )
        results["right " + name] = tf.bitwise.right_shift(
            x, tf.constant(np.array([1, 2, 3, 1, 0], dtype))
        )
    results["negative"] = tf.bitwise.right_shift(tf.constant([-8, -1]), tf.constant([1, 3]))
    return results


def scalar_multiples(tf, np):
    slices = tf.IndexedSlices(tf.constant([[1.0, 2.0]]), tf.constant([1]), tf.constant([3, 2]))
    product = tf.scalar_mul(2.0, slices)
    return {"dense": tf.scalar_mul(3.0, tf.constant([1.0, 2.0])), "values": product.values}


def scalar_multiple_of_vector(tf, np):
    return {"y": tf.scalar_mul([1.0, 2.0], tf.constant([1.0, 2.0]))}


def sums_of_many(tf, np):
    x, y = tf.constant([1.0, 2.0]), tf.constant([3.0, 5.0])
    total = tf.add_n([x, y, x])
    accumulated = tf.accumulate_n([x, y])
    return {
        "add_n": total,
        "accumulate": accumulated,
        "one": tf.add_n([x]),
        "named": tf.add_n([x], name="only"),
        "ints": tf.add_n([tf.constant(1), tf.constant(2)]),
        "gradient": tf.gradients(total, [x, y]),
        "second": tf.gradients(accumulated, [x])[0],
    }


def add_n_of_nothing(tf, np):
    return {"y": tf.add_n([])}


def add_n_mismatch(tf, np):
    return {"y": tf.add_n([tf.zeros([2]), tf.zeros([3])])}


def add_n_mismatch_when_run(tf, np):
    return {"y": tf.add_n([tf.zeros([2]), tf.placeholder_with_default(np.zeros(3, "f"), [None])])}


def polynomial(tf, np):
    return {
        "y": tf.math.polyval([1.0, -2.0, 3.0], tf.constant([0.0, 1.0, 2.0])),
        "none": tf.math.polyval([], tf.constant([0.0, 1.0])),
    }


def log_beta(tf, np):
    x = tf.constant([[0.5, 1.5, 2.0], [1.0, 1.0, 3.0]])
    return {"y": tf.lbeta(x), "gradient": tf.gradients(tf.lbeta(x), x)[0]}


def incomplete_beta(tf, np):
    a, b = tf.constant([0.5, 1.0, 2.0, 10.0]), tf.constant([0.5, 2.0, 3.0, 0.25])
    x = tf.constant([0.1, 0.5, 0.75, 0.99])
    y = tf.betainc(a, b, x)
    return {
        "y": y,
        "gradient": tf.gradients(y, x)[0],
        "double": tf.betainc(
            tf.constant([3.0], tf.float64),
            tf.constant([4.0], tf.float64),
            tf.constant([0.3], tf.float64),
        ),
        "scalar": tf.betainc(2.0, 3.0, x),
        "ends": tf.betainc(2.0, 3.0, [0.0, 1.0]),
    }


def approximate_equality(tf, np):
    return {"y": tf.cast(tf.abs(tf.constant([1.0, 1.1]) - 1.0) < 1e-3, tf.int32)}


def clips_by_value(tf, np):
    x = tf.constant([[-3.0, 0.5], [7.0, 1.0]])
    y = tf.clip_by_value(x, -1.0, 1.0)
    slices = tf.IndexedSlices(x, tf.constant([1, 0]), tf.constant([4, 2]))
    return {
        "y": y,
        "gradient": tf.gradients(y, x)[0],
        "ints": tf.clip_by_value(tf.constant([-5, 0, 5]), -1, 2),
        "slices": tf.clip_by_value(slices, 0.0, 2.0).values,
        "bounds": tf.clip_by_value(x, tf.constant([[0.0, 0.0], [1.0, 1.0]]), 5.0),
    }


def clips_by_norm(tf, np):
    x = tf.constant([[-3.0, 0.0, 0.0], [4.0, 0.0, 0.0]])
    y = tf.clip_by_norm(x, 4.0)
    slices = tf.IndexedSlices(x, tf.constant([1, 0]), tf.constant([4, 3]))
    return {
        "y": y,
        "rows": tf.clip_by_norm(x, 3.5, axes=[1]),
        "gradient": tf.gradients(y, x)[0],
        "zero": tf.clip_by_norm(tf.zeros([2]), 1.0),
        "slices": tf.clip_by_norm(slices, 1.0).values,
        "average": tf.clip_by_average_norm(x, 0.5),
    }


def clips_by_global_norm(tf, np):
    x, y = tf.constant([3.0, 0.0]), tf.constant([[4.0]])
    slices = tf.IndexedSlices(tf.constant([[2.0]]), tf.constant([1]), tf.constant([4, 1]))
    clipped, norm = tf.clip_by_global_norm([x, None, y, slices], 2.5)
    infinite, _ = tf.clip_by_global_norm([tf.constant([float("inf")])], 1.0)
    return {
        "x": clipped[0],
        "y": clipped[2],
        "slices": clipped[3].values,
        "norm": norm,
        "none": clipped[1] is None,
        "infinite": infinite[0],
        "global": tf.global_norm([x, y]),
        "given": tf.clip_by_global_norm([x], 1.0, use_norm=tf.constant(2.0))[0][0],
    }


def clip_of_no_list(tf, np):
    return {"y": tf.global_norm(tf.constant([1.0]))}


def histograms(tf, np):
    values = tf.constant([-1.0, 0.0, 1.5, 2.0, 5.0, 15.0])
    return {
        "counts": tf.histogram_fixed_width(values, [0.0, 5.0], nbins=5),
        "wide": tf.histogram_fixed_width(values, [0.0, 5.0], nbins=3, dtype=tf.int64),
        "bins": tf.histogram_fixed_width_bins(values, [0.0, 5.0], nbins=5),
    }


def histogram_of_bad_range(tf, np):
    return {"y": tf.histogram_fixed_width([1.0], [5.0, 0.0])}


def bincounts(tf, np):
    x = tf.constant([1, 1, 2, 5, 2, 0])
    return {
        "counts": tf.bincount(x),
        "min": tf.bincount(x, minlength=8),
        "max": tf.bincount(x, maxlength=3),
        "empty": tf.bincount(tf.constant([], tf.int32)),
        "weights": tf.bincount(x, weights=[1.0, 0.5, 2.0, 1.0, 1.0, 3.0]),
        "wide": tf.bincount(x, dtype=tf.int64),
    }


def bincount_of_negative(tf, np):
    return {"y": tf.bincount(tf.constant([1, -1]), minlength=3)}


def ranges(tf, np):
    return {
        "n": tf.range(5),
        "bounds": tf.range(3, 18, 3),
        "down": tf.range(10, 0, -4),
        "floats": tf.range(0.0, 1.0, 0.1),
        "double": tf.range(0.0, 1.0, 0.25, dtype=tf.float64),
        "mixed": tf.range(0, 2.5),
        "int64": tf.range(tf.constant(3, tf.int64)),
        "empty": tf.range(3, 3),
        "tensor": tf.range(tf.placeholder_with_default(4, [])),
        "lin": tf.lin_space(0.0, 1.0, 6),
        "one": tf.linspace(2.0, 3.0, 1),
        "lin64": tf.linspace(tf.constant(-1.0, tf.float64), 1.0, 7),
    }


def range_without_step(tf, np):
    return {"y": tf.range(0, 5, tf.placeholder_with_default(0, []))}


def range_upwards(tf, np):
    return {"y": tf.range(5, 0, 1)}


range_upwards.message = False  # TensorFlow adds the values of the inputs


def monotonic(tf, np):
    return {
        "a": tf.math.is_non_decreasing([1.0, 1.0, 2.0]),
        "b": tf.math.is_strictly_increasing([1.0, 1.0, 2.0]),
        "c": tf.math.is_strictly_increasing([1, 2, 5]),
        "d": tf.is_non_decreasing([3]),
    }


monotonic.nodes = False  # tf.cond is an If node here


def confusion(tf, np):
    return {
        "y": tf.confusion_matrix([1, 2, 4], [2, 2, 4]),
        "classes": tf.confusion_matrix([1, 0], [1, 1], num_classes=3),
        "weights": tf.confusion_matrix([1, 0], [1, 1], weights=[0.5, 2.0], dtype=tf.float32),
        "squeezed": tf.confusion_matrix([[1], [0]], [1, 0]),
    }


confusion.nodes = False  # assertions are If nodes here


def gradients_of_zero_dimensions(tf, np):
    x = tf.placeholder_with_default(np.zeros([0, 3], np.float32), [None, 3])
    w = tf.constant([1.0, 2.0, 3.0])
    return {"x": tf.gradients(x * w, [x, w])}


def selection(tf, np):
    x, y = tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([[5.0, 6.0], [7.0, 8.0]])
    z = tf.where(x > 2.0, x, y)
    rows = tf.where(tf.constant([True, False]), x, y)
    wide = tf.where_v2(x > 2.0, x, 0.5)
    return {
        "z": z,
        "rows": rows,
        "gradient": tf.gradients(z, [x, y]),
        "wide": wide,
        "v2 gradient": tf.gradients(tf.where_v2(tf.constant([True, False]), x, y), [x, y]),
        "scalar": tf.where(tf.constant(True), x, y),
        "strings": tf.where([True, False], tf.constant(["a", "b"]), tf.constant(["c", "d"])),
    }


def selection_mismatch(tf, np):
    c = tf.placeholder_with_default([True], [None])
    return {"y": tf.where(c, tf.zeros([2, 2]), tf.ones([2, 2]))}


def mixed_expression(tf, np):
    """Every rule at once, as a loss has them."""
    x = tf.placeholder_with_default(np.linspace(-1, 1, 12).reshape(4, 3).astype("f"), [None, 3])
    w = tf.constant(np.linspace(0.1, 1.2, 6).reshape(3, 2).astype("f"))
    b = tf.constant([0.5, -0.5])
    h = tf.tanh(tf.matmul(x, w) + b)
    loss = tf.reduce_mean(tf.reduce_sum(tf.square(h) * 2.0 - tf.exp(-h) / 3.0, 1))
    return {"loss": loss, "gradients": tf.gradients(loss, [x, w, b])}


def slices_through_maths(tf, np):
    """Gradients that are IndexedSlices, handed to the rules of maths ops."""
    w = tf.constant(np.arange(12).reshape(4, 3).astype("f") / 5)
    ids = tf.constant([2, 0, 2])
    results = {}
    for name, y in (
        ("mul", w * 2.0),
        ("add", w + tf.constant([1.0, 2.0, 3.0])),
        ("sub", 1.0 - w),
        ("tanh", tf.tanh(w)),
        ("square", tf.square(w)),
        ("div", w / 4.0),
        ("neg", -w),
        ("same", w + w),
        ("scalar", w + 1.0),
    ):
        results[name] = tf.convert_to_tensor(tf.gradients(tf.gather(y, ids), w)[0])
    return results


def second_gradients(tf, np):
    x = tf.constant(np.linspace(-1, 1, 6).reshape(2, 3).astype("f"))
    w = tf.constant(np.linspace(0.5, 1.5, 6).reshape(3, 2).astype("f"))
    results = {}
    for name, y in (
        ("matmul", tf.reduce_sum(tf.square(tf.matmul(x, w)))),
        ("mean", tf.reduce_mean(x * x * x)),
        ("max", tf.reduce_max(x * x)),
        ("softly", tf.reduce_logsumexp(x, 1)),
        ("norm", tf.norm(x)),
        ("maximum", tf.maximum(x * x, 0.5)),
        ("division", x / (x * x + 1.0)),
    ):
        first = tf.gradients(y, x)[0]
        results[name] = tf.gradients(first, x)[0]
    return results


def unknown_shapes(tf, np):
    """Nothing is known of the shapes: every rule finds out when it runs."""
    x = tf.placeholder_with_default(np.linspace(-1, 1, 6).reshape(2, 3).astype("f"), None)
    y = tf.placeholder_with_default(np.linspace(0.5, 1.5, 3).astype("f"), None)
    results = {}
    for name, z in (
        ("add", x + y),
        ("mul", x * y),
        ("sub", y - x),
        ("div", x / y),
        ("maximum", tf.maximum(x, y)),
        ("pow", tf.pow(y, x)),
        ("mean", tf.reduce_mean(x)),
        ("difference", tf.squared_difference(x, y)),
        ("max", tf.reduce_max(x, 1) + y[0]),
    ):
        results[name] = [z] + [g for g in tf.gradients(z, [x, y]) if g is not None]
    return results
