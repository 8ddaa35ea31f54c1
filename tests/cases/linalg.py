"""Linear algebra: products, decompositions, solving, diagonals, Fourier transforms."""

CASES = {}


def _spd(np, dtype="float32", batch=False):
    a = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.25], [0.5, -0.25, 2.0]])
    if "complex" in dtype:
        a = a + 1j * np.array([[0.0, 0.5, -0.25], [-0.5, 0.0, 0.75], [0.25, -0.75, 0.0]])
    a = np.stack([a, a * 2 + np.eye(3)]) if batch else a
    return a.astype(dtype)


def _general(np, dtype="float32", rows=3, columns=3):
    a = np.cos(np.arange(rows * columns) * 1.7).reshape(rows, columns) + np.eye(rows, columns)
    if "complex" in dtype:
        a = a + 1j * np.sin(np.arange(rows * columns) * 0.9).reshape(rows, columns)
    return a.astype(dtype)


_TYPES = ("float32", "float64", "complex64", "complex128")


def matmuls(tf, np):
    results = {}
    for dtype in (*_TYPES, "int32", "int64", "float16", "bfloat16"):
        a = tf.cast(tf.constant(np.arange(6).reshape(2, 3)), dtype)
        b = tf.cast(tf.constant(np.arange(12).reshape(3, 4) % 5), dtype)
        results[dtype] = tf.cast(tf.matmul(a, b), tf.complex64)
    return results


def _matmul_gradients(transpose_a, transpose_b, adjoint):
    def case(tf, np):
        results = {}
        for dtype in ("float32", "complex64"):
            for batch in ((), (2,)):
                a = _general(np, dtype, *((3, 2) if transpose_a else (2, 3)))
                b = _general(np, dtype, *((4, 3) if transpose_b else (3, 4)))
                a = tf.constant(np.broadcast_to(a, batch + a.shape).copy())
                b = tf.constant(np.broadcast_to(b, batch + b.shape).copy())
                word = "adjoint" if adjoint else "transpose"
                y = tf.matmul(a, b, **{word + "_a": transpose_a, word + "_b": transpose_b})
                label = dtype + str(len(batch))
                results[label] = y
                seed = tf.ones_like(y)
                for i, grad in enumerate(tf.gradients(y * y, [a, b], grad_ys=seed)):
                    results["%s gradient %d" % (label, i)] = grad
        return results

    return case


for _a in (False, True):
    for _b in (False, True):
        for _adjoint in (False, True):
            CASES["matmul_%d%d%d" % (_a, _b, _adjoint)] = _matmul_gradients(_a, _b, _adjoint)


def matmul_broadcast(tf, np):
    a = tf.constant(_general(np, "float32", 2, 3).reshape(1, 2, 3))
    b = tf.constant(np.arange(24).reshape(2, 3, 4).astype("f"))
    loose = tf.placeholder_with_default(np.ones((5, 1, 2, 3), "f"), [None, None, 2, 3])
    return {
        "y": tf.matmul(a, b),
        "gradients": tf.gradients(tf.matmul(a, b), [a, b]),
        "loose": tf.gradients(tf.matmul(loose, b), [loose, b]),
        "operator": a @ b,
        "vector": tf.linalg.matvec(b, tf.ones([2, 4])),
    }


def matmul_sparse(tf, np):
    a, b = tf.constant(_general(np, "float32", 2, 3)), tf.constant(_general(np, "float32", 3, 4))
    y = tf.matmul(a, b, a_is_sparse=True)
    z = tf.matmul(tf.cast(a, tf.bfloat16), tf.cast(b, tf.bfloat16), b_is_sparse=True)
    results = {
        "y": y,
        "gradients": tf.gradients(y, [a, b]),
        "bfloat16": tf.cast(z, tf.float32),
        "direct": tf.sparse_matmul(a, b),
    }
    for ta in (False, True):
        for tb in (False, True):
            x = tf.constant(_general(np, "float32", *((3, 2) if ta else (2, 3))))
            w = tf.constant(_general(np, "float32", *((4, 3) if tb else (3, 4))))
            p = tf.matmul(x, w, transpose_a=ta, transpose_b=tb, a_is_sparse=True)
            results["gradients %d%d" % (ta, tb)] = tf.gradients(p, [x, w])
    return results


def matmul_static_mismatch(tf, np):
    return {"y": tf.matmul(tf.zeros([2, 3]), tf.zeros([2, 3]))}


def matmul_mismatch(tf, np):
    a = tf.placeholder_with_default(np.ones((2, 3), "f"), [None, None])
    return {"y": tf.matmul(a, a)}


def batch_matmul_mismatch(tf, np):
    a = tf.placeholder_with_default(np.ones((2, 2, 3), "f"), None)
    return {"y": tf.matmul(a, a)}


def matmul_rank(tf, np):
    return {"y": tf.matmul(tf.zeros([2]), tf.zeros([2, 3]))}


def matmul_both_flags(tf, np):
    return {"y": tf.matmul(tf.zeros([2, 2]), tf.zeros([2, 2]), transpose_a=True, adjoint_a=True)}


def tensordots(tf, np):
    a = tf.constant(np.arange(24).reshape(2, 3, 4).astype("f"))
    b = tf.constant(np.arange(60).reshape(4, 3, 5).astype("f"))
    loose = tf.placeholder_with_default(np.ones((2, 3, 4), "f"), [None, 3, None])
    free = tf.placeholder_with_default(np.ones((2, 3, 4), "f"), None)
    w = tf.ones([4, 2])
    return {
        "one": tf.tensordot(a, w, 1),
        "lists": tf.tensordot(a, b, [[2, 1], [0, 1]]),
        "pair": tf.tensordot(a, b, [1, 1]),
        "outer": tf.tensordot([1.0, 2.0], [3.0, 4.0], 0),
        "negative": tf.tensordot(a, w, [[-1], [0]]),
        "loose": tf.tensordot(loose, w, 1),
        "free": tf.tensordot(free, w, 1),
        "gradients": tf.gradients(tf.tensordot(a, w, 1), [a, w]),
        "dynamic": tf.tensordot(a, w, tf.constant([[2], [0]])),
    }


def tensordot_bad_axes(tf, np):
    return {"y": tf.tensordot(tf.zeros([2, 2]), tf.zeros([2, 2]), [[0, 1], [0]])}


_EINSUMS = {
    "matmul": ("ij,jk->ik", [(2, 3), (3, 4)]),
    "dot": ("i,i->", [(3,), (3,)]),
    "outer": ("i,j->ij", [(3,), (2,)]),
    "transpose": ("ij->ji", [(2, 3)]),
    "sum": ("ij->j", [(2, 3)]),
    "trace": ("ii", [(3, 3)]),
    "batch": ("aij,ajk->aik", [(2, 3, 4), (2, 4, 5)]),
    "implicit": ("ij,jk", [(2, 3), (3, 4)]),
    "three": ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
    "ellipsis": ("...ij,...jk->...ik", [(2, 2, 3), (2, 3, 4)]),
    "elementwise": ("ij,ij->ij", [(2, 3), (2, 3)]),
    "attention": ("bqhd,bkhd->bhqk", [(2, 3, 2, 4), (2, 5, 2, 4)]),
    "shared": ("i,i,i->", [(3,), (3,), (3,)]),
    "permuted": ("abc,cb->ca", [(2, 3, 4), (4, 3)]),
}


def _einsum(equation, shapes):
    def case(tf, np):
        inputs = [
            tf.constant(np.arange(int(np.prod(s))).reshape(s).astype("f") % 7 - 2) for s in shapes
        ]
        y = tf.einsum(equation, *inputs)
        return {"y": y, "gradients": tf.gradients(y, inputs)}

    return case


for _name, _row in _EINSUMS.items():
    CASES["einsum_" + _name] = _einsum(*_row)
    # Sets of letters order the extra dimensions, so the graph is not always the same.


def einsum_unknown_sizes(tf, np):
    x = tf.placeholder_with_default(np.ones((2, 3, 4), "f"), [None, None, 4])
    return {"y": tf.einsum("abc,cd->abd", x, tf.ones([4, 5]))}


def einsum_twice(tf, np):
    return {"y": tf.einsum("iij->j", tf.zeros([2, 2, 3]))}


def einsum_bad(tf, np):
    return {"y": tf.einsum("i;j", tf.zeros([2]))}


def einsum_count(tf, np):
    return {"y": tf.einsum("ij,jk->ik", tf.zeros([2, 2]))}


def inverses(tf, np):
    results = {}
    for dtype in _TYPES:
        a = tf.constant(_general(np, dtype))
        results[dtype] = tf.matrix_inverse(a)
        results["adjoint " + dtype] = tf.linalg.inv(a, adjoint=True)
        results["det " + dtype] = tf.matrix_determinant(a)
        results["slogdet " + dtype] = list(tf.linalg.slogdet(a))
    a = tf.constant(_spd(np, batch=True))
    results["batch"] = tf.matrix_inverse(a)
    results["gradient"] = tf.gradients(tf.matrix_inverse(a), a)[0]
    results["det gradient"] = tf.gradients(tf.matrix_determinant(a), a)[0]
    results["slogdet gradient"] = tf.gradients(tf.linalg.slogdet(a)[1], a)[0]
    results["logdet"] = tf.linalg.logdet(a)
    results["logdet gradient"] = tf.gradients(tf.linalg.logdet(a), a)[0]
    return results


inverses.rtol = 1e-4


def inverse_of_singular(tf, np):
    return {"y": tf.matrix_inverse(tf.constant([[1.0, 2.0], [2.0, 4.0]]))}


def inverse_of_rectangle(tf, np):
    return {"y": tf.matrix_inverse(tf.zeros([2, 3]))}


def choleskys(tf, np):
    results = {}
    for dtype in _TYPES:
        a = tf.constant(_spd(np, dtype))
        c = tf.cholesky(a)
        results[dtype] = c
        rhs = tf.constant(_general(np, dtype, 3, 2))
        results["solve " + dtype] = tf.cholesky_solve(c, rhs)
    a = tf.constant(_spd(np, batch=True))
    results["gradient"] = tf.gradients(tf.cholesky(a), a)[0]
    return results


choleskys.rtol = 1e-4


def cholesky_of_indefinite(tf, np):
    return {"y": tf.cholesky(tf.constant([[1.0, 2.0], [2.0, 1.0]]))}


def solves(tf, np):
    results = {}
    for dtype in _TYPES:
        a, b = tf.constant(_general(np, dtype)), tf.constant(_general(np, dtype, 3, 2))
        triangular = tf.matrix_band_part(a, -1, 0)
        results[dtype] = tf.matrix_solve(a, b)
        results["adjoint " + dtype] = tf.matrix_solve(a, b, adjoint=True)
        results["lower " + dtype] = tf.matrix_triangular_solve(triangular, b)
        results["upper " + dtype] = tf.matrix_triangular_solve(
            tf.matrix_band_part(a, 0, -1), b, lower=False
        )
        results["lower adjoint " + dtype] = tf.matrix_triangular_solve(triangular, b, adjoint=True)
    a, b = tf.constant(_general(np)), tf.constant(_general(np, "float32", 3, 2))
    for adjoint in (False, True):
        y = tf.matrix_solve(a, b, adjoint=adjoint)
        results["gradients %d" % adjoint] = tf.gradients(y, [a, b])
        for lower in (False, True):
            y = tf.matrix_triangular_solve(a, b, lower=lower, adjoint=adjoint)
            results["triangular %d%d" % (adjoint, lower)] = tf.gradients(y, [a, b])
    return results


solves.rtol = 1e-3
solves.atol = 1e-4


def solve_of_singular(tf, np):
    return {"y": tf.matrix_solve(tf.constant([[1.0, 2.0], [2.0, 4.0]]), tf.ones([2, 1]))}


def triangular_solve_of_singular(tf, np):
    return {"y": tf.matrix_triangular_solve(tf.constant([[1.0, 0.0], [2.0, 0.0]]), tf.ones([2, 1]))}


def least_squares(tf, np):
    tall, wide = (
        tf.constant(_general(np, "float32", 4, 2)),
        tf.constant(_general(np, "float32", 2, 4)),
    )
    b, c = tf.constant(_general(np, "float32", 4, 1)), tf.constant(_general(np, "float32", 2, 1))
    y = tf.matrix_solve_ls(tall, b)
    return {
        "tall": y,
        "wide": tf.matrix_solve_ls(wide, c),
        "ridge": tf.matrix_solve_ls(tall, b, l2_regularizer=0.5),
        "slow": tf.matrix_solve_ls(tall, b, fast=False),
        "gradients": tf.gradients(y, [tall, b]),
        "double": tf.linalg.lstsq(tf.cast(tall, tf.float64), tf.cast(b, tf.float64)),
    }


least_squares.rtol = 1e-3
least_squares.atol = 1e-4


def eigenvalues(tf, np):
    results = {}
    for dtype in _TYPES:
        a = tf.constant(_spd(np, dtype))
        e, v = tf.self_adjoint_eig(a)
        results["e " + dtype] = e
        results["v " + dtype] = tf.abs(v)
        results["values " + dtype] = tf.self_adjoint_eigvals(a)
        results["back " + dtype] = tf.matmul(v * tf.expand_dims(e, 0), v, adjoint_b=True)
    a = tf.constant(_spd(np))
    e, v = tf.self_adjoint_eig(a)
    results["gradient"] = tf.gradients(tf.reduce_sum(e * e), a)[0]
    results["vectors"] = tf.gradients(tf.reduce_sum(tf.square(v) * [[1.0, 2.0, 3.0]]), a)[0]
    results["of values"] = tf.gradients(tf.self_adjoint_eigvals(a), a)[0]
    return results


eigenvalues.rtol = 1e-3
eigenvalues.atol = 1e-4


def singular_values(tf, np):
    results = {}
    for dtype in _TYPES:
        a = tf.constant(_general(np, dtype, 3, 2))
        s, u, v = tf.svd(a)
        results["s " + dtype] = s
        results["u " + dtype] = tf.abs(u)
        results["v " + dtype] = tf.abs(v)
        results["values " + dtype] = tf.svd(a, compute_uv=False)
    s, u, v = tf.svd(tf.constant(_general(np, "float32", 2, 3)), full_matrices=True)
    results["full"] = [s, tf.abs(u), tf.abs(v)]
    for rows, columns in ((3, 3), (3, 2), (2, 4)):
        a = tf.constant(_general(np, "float64", rows, columns))
        s, u, v = tf.svd(a)
        y = (
            tf.reduce_sum(s * s)
            + tf.reduce_sum(tf.square(u)[0]) * 2.0
            + tf.reduce_sum(tf.square(v)[0])
        )
        results["gradient %d%d" % (rows, columns)] = tf.gradients(y, a)[0]
        results["of values %d%d" % (rows, columns)] = tf.gradients(tf.svd(a, compute_uv=False), a)[
            0
        ]
    return results


singular_values.rtol = 1e-3
singular_values.atol = 1e-4


def qr_factors(tf, np):
    results = {}
    for dtype in _TYPES:
        q, r = tf.qr(tf.constant(_general(np, dtype, 3, 2)))
        results["q " + dtype], results["r " + dtype] = q, r
    q, r = tf.qr(tf.constant(_general(np, "float32", 3, 2)), full_matrices=True)
    results["full"] = [q, r]
    results["wide"] = list(tf.qr(tf.constant(_general(np, "float32", 2, 3))))
    a = tf.constant(_general(np, "float64", 4, 3))
    q, r = tf.qr(a)
    results["gradient"] = tf.gradients(tf.reduce_sum(q * q * q) + tf.reduce_sum(r), a)[0]
    return results


qr_factors.rtol = 1e-3
qr_factors.atol = 1e-4


def lu_factors(tf, np):
    lu, p = tf.linalg.lu(tf.constant(_general(np, "float32", 4, 4)))
    wide = tf.linalg.lu(tf.constant(_spd(np, "float64", batch=True)), output_idx_type=tf.int64)
    return {"lu": lu, "p": p, "wide": list(wide)}


def square_roots(tf, np):
    a = tf.constant(_spd(np))
    y = tf.linalg.sqrtm(a)
    return {
        "y": y,
        "gradient": tf.gradients(y, a)[0],
        "double": tf.linalg.sqrtm(tf.constant(_spd(np, "float64", batch=True))),
        "complex": tf.linalg.sqrtm(tf.constant(_spd(np, "complex128"))),
    }


square_roots.rtol = 1e-4


def logarithms(tf, np):
    return {
        "y": tf.linalg.logm(tf.constant(_spd(np, "complex128"))),
        "single": tf.linalg.logm(tf.constant(_spd(np, "complex64"))),
    }


logarithms.rtol = 1e-4


def diagonals(tf, np):
    d = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    a = tf.constant(np.arange(24).reshape(2, 3, 4).astype("f"))
    loose = tf.placeholder_with_default(np.ones((2, 3, 4), "f"), [None, None, None])
    set_ = tf.matrix_set_diag(a, tf.zeros([2, 3]))
    x = tf.constant([1.0, 2.0])
    return {
        "diag": tf.matrix_diag(d),
        "part": tf.matrix_diag_part(a),
        "set": set_,
        "tensor": tf.diag([1, 2, 3]),
        "tensor part": tf.diag_part(tf.diag([1.0, 2.0])),
        "matrix": tf.diag(d),
        "trace": tf.trace(a),
        "gradients": tf.gradients(tf.matrix_diag(d), d)
        + tf.gradients(tf.matrix_diag_part(a), a)
        + tf.gradients(tf.matrix_diag_part(loose), loose),
        "set gradients": tf.gradients(set_, a),
        "loose set": tf.gradients(tf.matrix_set_diag(loose, tf.zeros([2, 3])), loose),
        "tensor gradient": tf.gradients(tf.diag(x), x),
        "trace gradient": tf.gradients(tf.trace(a), a),
    }


def bands(tf, np):
    a = tf.constant(np.arange(1, 13).reshape(3, 4).astype("f"))
    return {
        "lower": tf.matrix_band_part(a, -1, 0),
        "upper": tf.matrix_band_part(a, 0, -1),
        "both": tf.matrix_band_part(a, 1, 1),
        "all": tf.matrix_band_part(a, -1, -1),
        "gradient": tf.gradients(tf.matrix_band_part(a, 1, 0), a)[0],
        "bool": tf.matrix_band_part(tf.ones([2, 2], tf.bool), 0, 0),
        "batch": tf.matrix_band_part(tf.ones([2, 3, 3], tf.int32), 0, 1),
    }


def band_too_wide(tf, np):
    return {"y": tf.matrix_band_part(tf.zeros([2, 2]), 3, 0)}


def diagonal_of_other_size(tf, np):
    d = tf.placeholder_with_default(np.zeros((3,), "f"), [None])
    return {"y": tf.matrix_set_diag(tf.zeros([2, 2]), d)}


def eyes(tf, np):
    return {
        "three": tf.eye(3),
        "wide": tf.eye(2, 3),
        "batch": tf.eye(2, batch_shape=[2]),
        "int": tf.eye(2, dtype=tf.int32),
        "dynamic": tf.eye(tf.placeholder_with_default(2, [])),
        "dynamic wide": tf.eye(tf.placeholder_with_default(2, []), 3),
        "large": tf.eye(40),
    }


def norms(tf, np):
    a = tf.constant(_general(np, "float32", 3, 4))
    b = tf.constant(np.arange(24).reshape(2, 3, 4).astype("f"))
    c = tf.constant(_general(np, "complex64", 2, 2))
    results = {}
    for order in ("euclidean", 1, 2, np.inf, 3.0, 0.5):
        results["all %s" % order] = tf.norm(a, order)
        results["axis %s" % order] = tf.norm(a, order, axis=1)
        results["kept %s" % order] = tf.norm(a, order, axis=0, keepdims=True)
    for order in ("euclidean", "fro", 1, np.inf):
        results["matrix %s" % order] = tf.norm(b, order, axis=[-2, -1])
    results["complex"] = tf.norm(c)
    results["gradient"] = tf.gradients(tf.norm(a), a)[0]
    return results


norms.rtol = 1e-4


def spectral_norms(tf, np):
    b = tf.constant(np.arange(24).reshape(2, 3, 4).astype("f"))
    with tf.Session() as sess:  # the static shapes differ as the nodes do
        return {
            "y": sess.run(tf.norm(b, 2, axis=[-2, -1])),
            "z": sess.run(tf.norm(b, 2, axis=(0, 2), keepdims=True)),
        }


spectral_norms.rtol = 1e-4
spectral_norms.nodes = False  # TensorFlow permutes the axes with loops, relight statically


def normalisation(tf, np):
    y, n = tf.linalg.normalize(tf.constant([[3.0, 4.0], [6.0, 8.0]]), axis=1)
    return {"y": y, "n": n}


def norm_of_bad_order(tf, np):
    return {"y": tf.norm(tf.zeros([2, 2]), "fro")}


def pseudo_inverses(tf, np):
    a = tf.constant(_general(np, "float32", 3, 2))
    return {
        "pinv": tf.linalg.pinv(a),
        "rank": tf.linalg.matrix_rank(a),
        "low": tf.linalg.matrix_rank(tf.constant([[1.0, 2.0], [2.0, 4.0]])),
        "adjoint": tf.linalg.adjoint(tf.constant(_general(np, "complex64", 2, 3))),
        "transpose": tf.matrix_transpose(a),
    }


pseudo_inverses.rtol = 1e-3
pseudo_inverses.atol = 1e-5


def exponentials(tf, np):
    return {
        "single": tf.linalg.expm(tf.constant(_general(np, "float32"))),
        "batch": tf.linalg.expm(tf.constant(_spd(np, "float64", batch=True))),
        "small": tf.linalg.expm(tf.constant(_spd(np) * 0.01)),
        "complex": tf.linalg.expm(tf.constant(_general(np, "complex64"))),
    }


exponentials.rtol = 1e-4
exponentials.nodes = False  # the squarings are a While node here


def tridiagonals(tf, np):
    d = tf.constant([[2.0, 1.0, 3.0, 0.0], [4.0, 5.0, 6.0, 7.0], [0.0, 1.0, 2.0, 1.0]])
    rhs = tf.constant(_general(np, "float32", 4, 2))
    y = tf.linalg.tridiagonal_solve(d, rhs)
    z = tf.linalg.tridiagonal_matmul(d, rhs)
    return {
        "solve": y,
        "vector": tf.linalg.tridiagonal_solve(d, rhs[:, 0]),
        "matmul": z,
        "gradients": tf.gradients(y, [d, rhs]),
        "product": tf.gradients(z, [d, rhs]),
        "sequence": tf.linalg.tridiagonal_solve((d[0, :3], d[1], d[2, 1:]), rhs, "sequence"),
        "matrix": tf.linalg.tridiagonal_solve(
            tf.constant([[4.0, 2.0, 0.0], [1.0, 5.0, 1.0], [0.0, 2.0, 6.0]]),
            tf.ones([3, 1]),
            "matrix",
        ),
        "matrix matmul": tf.linalg.tridiagonal_matmul(
            tf.constant([[4.0, 2.0, 0.0], [1.0, 5.0, 1.0], [0.0, 2.0, 6.0]]),
            tf.ones([3, 1]),
            "matrix",
        ),
    }


tridiagonals.rtol = 1e-4


def crosses(tf, np):
    a, b = tf.constant([[1.0, 2.0, 3.0]]), tf.constant([[0.5, -1.0, 2.0]])
    y = tf.cross(a, b)
    return {"y": y, "gradients": tf.gradients(y, [a, b]), "int": tf.cross([1, 0, 0], [0, 1, 0])}


def cross_of_two(tf, np):
    return {"y": tf.cross(tf.zeros([2]), tf.zeros([2]))}


# -- Fourier transforms --------------------------------------------------------------------------------


def _signal(np, shape):
    count = int(np.prod(shape))
    values = np.cos(np.arange(count)) + 1j * np.sin(np.arange(count) * 0.7)
    return values.reshape(shape).astype("complex64")


def _fourier(name, shape):
    def case(tf, np):
        apply = getattr(tf.signal, name)
        x = tf.constant(_signal(np, shape))
        y = apply(x)
        seed = tf.constant(_signal(np, shape)[::-1].copy())
        return {
            "y": y,
            "gradient": tf.gradients(y, x, grad_ys=seed)[0],
            "double": apply(tf.cast(x, tf.complex128)),
        }

    case.rtol = 1e-4
    case.atol = 1e-4
    return case


for _name, _shape in (
    ("fft", (2, 6)),
    ("ifft", (2, 6)),
    ("fft2d", (3, 4)),
    ("ifft2d", (3, 4)),
    ("fft3d", (2, 3, 2)),
    ("ifft3d", (2, 3, 2)),
):
    CASES[_name] = _fourier(_name, _shape)


def _real_fourier(rank):
    def case(tf, np):
        suffix = {1: "", 2: "2d", 3: "3d"}[rank]
        forward, backward = (
            getattr(tf.signal, "rfft" + suffix),
            getattr(tf.signal, "irfft" + suffix),
        )
        results = {}
        for last in (6, 5):
            shape = (2, 3, last)
            x = tf.constant(_signal(np, shape).real)
            y = forward(x)
            z = backward(y, shape[-rank:])
            results["y %d" % last], results["z %d" % last] = y, z
            results["plain %d" % last] = backward(y)
            if rank < 3:
                seed = tf.constant(_signal(np, (2, 3, last // 2 + 1)))
                results["gradient %d" % last] = tf.gradients(y, x, grad_ys=seed)[0]
                w = tf.constant(_signal(np, (2, 3, last // 2 + 1)))
                results["inverse gradient %d" % last] = tf.gradients(backward(w, shape[-rank:]), w)[
                    0
                ]
        results["padded"] = forward(tf.constant(_signal(np, (2, 3, 4)).real), [4] * rank)
        loose = tf.placeholder_with_default(_signal(np, (2, 3, 4)).real, [None, None, None])
        results["loose"] = forward(loose)
        results["loose back"] = backward(forward(loose))
        return results

    case.rtol = 1e-4
    case.atol = 1e-4
    return case


for _rank in (1, 2, 3):
    CASES["rfft_%d" % _rank] = _real_fourier(_rank)
