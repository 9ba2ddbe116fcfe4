# SPDX-License-Identifier: Apache-2.0
"""Random numbers are those of Philox4x32-10, one counter an element, and are
the same at every call; determinants."""
import numpy as np
import pytest
from onnx import TensorProto
from onnx import helper as h

import qopt
from modules import run_model
from test_operators import F32, Case, check_case, floats

MASK = 0xFFFFFFFF


def philox(counter, key):
    """Salmon et al. 2011, figure 2, in plain integers."""
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & MASK, (a >> 32) ^ c[3] ^ k[1], a & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


def test_philox_is_that_of_the_paper():
    # Known answers of the authors' library (kat_vectors, philox4x32 10).
    assert philox([0] * 4, [0] * 2) == [0x6627e8d5, 0xe169c58d, 0xbc57ac4c,
                                        0x9b00dbd8]
    assert philox([MASK] * 4, [MASK] * 2) == [0x408f276d, 0x41c83b0e, 0xa20bc7c6,
                                              0x6d5451fd]


def model_of(op, inputs=(), **attributes):
    node = h.make_node(op, [n for n, _ in inputs], ["y"], **attributes)
    graph = h.make_graph(
        [node], "g", [h.make_tensor_value_info(n, TensorProto.FLOAT, s)
                      for n, s in inputs],
        [h.make_empty_tensor_value_info("y")])
    return h.make_model(graph, ir_version=10,
                        opset_imports=[h.make_opsetid("", 21)])


def words(count, seed, stream):
    return np.array([philox([i, 0, stream, 0], [seed & MASK, seed >> 32])
                     for i in range((count + 3) // 4)]).ravel()[:count]


@pytest.mark.parametrize("seed", [0, 5, 2**40 + 3])
def test_uniform_numbers_are_the_upper_bits(seed):
    model = model_of("RandomUniform", shape=[3, 7], low=-1.0, high=3.0)
    y, = run_model(qopt.load(model, seed=seed))
    unit = (words(21, seed, 1) >> 8).astype(F32) * F32(2.0**-24)
    assert np.array_equal(y, (unit * F32(4) + F32(-1)).reshape(3, 7))


def test_normal_numbers_are_those_of_box_and_muller():
    model = model_of("RandomNormal", shape=[2000], mean=2.0, scale=0.5)
    y, = run_model(qopt.load(model))
    pairs = (words(2000, 0, 1) >> 8).reshape(-1, 2).astype(float)
    radius = np.sqrt(-2 * np.log((pairs[:, 0] + 1) / 2**24))
    angle = 2 * np.pi * pairs[:, 1] / 2**24
    unit = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    np.testing.assert_allclose(y, unit.ravel() * 0.5 + 2, atol=1e-5)
    assert abs(y.mean() - 2) < 0.05 and abs(y.std() - 0.5) < 0.03


# A seed in the file holds whatever the user says; without one nodes differ.
def test_seeds():
    own = model_of("RandomNormal", shape=[8], seed=3.0)
    a, b = (qopt.load(own, seed=s).reference().run_list()[0] for s in (0, 1))
    assert np.array_equal(a, b)
    free = model_of("RandomNormal", shape=[8])
    a, b = (qopt.load(free, seed=s).reference().run_list()[0] for s in (0, 1))
    assert not np.array_equal(a, b)


def test_shapes_and_types_of_the_input():
    x = np.full((4, 500), 0.25, F32)
    like = model_of("RandomUniformLike", [("x", [4, 500])],
                    dtype=TensorProto.DOUBLE)
    y, = run_model(qopt.load(like), x)
    assert y.shape == x.shape and y.dtype == np.float64
    assert 0 <= y.min() and y.max() < 1
    coins = model_of("Bernoulli", [("x", [4, 500])])
    y, = run_model(qopt.load(coins), x)
    assert set(np.unique(y)) == {0, 1} and abs(y.mean() - 0.25) < 0.05


def test_numbers_that_are_too_many_are_refused():
    with pytest.raises(qopt.ModelError, match="random numbers"):
        qopt.load(model_of("RandomNormal", shape=[1 << 14, 1 << 14]))


# --- Determinants ---

def matrices(rng, shape):
    return [floats(rng, shape)]


CASES = [Case("Det", lambda r, s=s: matrices(r, s), rtol=1e-4,
              tag="x".join(map(str, s)))
         for s in [(1, 1), (2, 2), (3, 3), (2, 5, 5), (2, 3, 8, 8)]]
CASES += [
    # The first pivot is 0: rows must be exchanged.
    Case("Det", lambda r: [np.array([[0, 2, 1], [3, 0, 0], [1, 1, 1]], F32)],
         tag="exchange"),
    Case("Det", lambda r: [np.array([[1, 2], [2, 4]], F32)], tag="singular"),
    Case("Det", lambda r: [r.uniform(-3, 3, (4, 4))], tag="f64")]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_determinant(case):
    check_case(case)


def test_matrices_that_are_too_large_are_refused():
    with pytest.raises(qopt.UnsupportedError, match="at most 64 rows"):
        qopt.load(model_of("Det", [("x", [65, 65])]))
