# SPDX-License-Identifier: Apache-2.0
"""Layer normalizations as ONNX Runtime writes them: in any domain, with every
optional input and output; values of NumPy in double."""
import numpy as np
import pytest
from onnx import TensorProto as T
from onnx import helper, numpy_helper

import qopt
from onnx_files import load, model_of, run, value

DOMAINS = ["", "com.microsoft", "org.example"]
SHAPE = (2, 3, 17)
RNG = np.random.default_rng(3)
X, SKIP = (RNG.standard_normal(SHAPE).astype(np.float32) for _ in "ab")
GAMMA, BETA, BIAS = (RNG.standard_normal(17).astype(np.float32) for _ in "abc")


def normalize(x, centered, epsilon, gamma, axes=(-1,)):
    """Result, mean, inverse deviation."""
    x = x.astype(np.float64)
    mean = x.mean(axes, keepdims=True)
    centre = x - mean if centered else x
    inverse = 1 / np.sqrt((centre**2).mean(axes, keepdims=True) + epsilon)
    return centre * inverse * gamma, mean, inverse


def close(got, want):
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= 2e-6 * np.abs(want).max()


def build(op, inputs, outputs, domain, opset=14, **attributes):
    arrays = {"g": GAMMA, "be": BETA, "bi": BIAS}
    node = helper.make_node(op, inputs, outputs, domain=domain, **attributes)
    return model_of(
        [node], [value(n, SHAPE) for n in inputs if n in ("x", "skip")],
        [value(n, None) for n in outputs if n],
        [numpy_helper.from_array(arrays[n], n) for n in inputs if n in arrays],
        opset=opset, domains=[domain] if domain else [])


@pytest.mark.parametrize("domain", DOMAINS)
def test_simplified(tmp_path, domain):
    model = build("SimplifiedLayerNormalization", ["x", "g"], ["y", "inv"],
                  domain, axis=-1, epsilon=1e-3, stash_type=1)
    y, inverse = run(tmp_path, model, X)
    want, _, inv = normalize(X, False, 1e-3, GAMMA)
    close(y, want)
    close(inverse, inv)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("inputs", [["g"], ["g", "be"], ["g", "", "bi"],
                                    ["g", "be", "bi"]], ids="-".join)
def test_skip(tmp_path, domain, inputs):
    model = build("SkipLayerNormalization", ["x", "skip", *inputs],
                  ["y", "mean", "inv", "sum"], domain, epsilon=1e-5)
    y, mean, inverse, total = run(tmp_path, model, X, SKIP)
    summed = X + SKIP + (BIAS if "bi" in inputs else np.float32(0))
    want, m, inv = normalize(summed, True, 1e-5, GAMMA)
    close(y, want + (BETA if "be" in inputs else 0))
    close(mean, m)
    close(inverse, inv)
    assert np.array_equal(total, summed)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("inputs", [["g"], ["g", "bi"]], ids="-".join)
def test_skip_simplified(tmp_path, domain, inputs):
    model = build("SkipSimplifiedLayerNormalization", ["x", "skip", *inputs],
                  ["y", "", "inv", "sum"], domain)
    y, inverse, total = run(tmp_path, model, X, SKIP)
    summed = X + SKIP + (BIAS if "bi" in inputs else np.float32(0))
    want, _, inv = normalize(summed, False, 1e-12, GAMMA)
    close(y, want)
    close(inverse, inv)
    assert np.array_equal(total, summed)


def test_skip_of_one_batch(tmp_path):
    model = build("SkipLayerNormalization", ["x", "skip", "g"], ["y"],
                  "com.microsoft")
    model.graph.input[1].CopyFrom(value("skip", SHAPE[1:]))
    y = run(tmp_path, model, X, SKIP[0])[0]
    close(y, normalize(X + SKIP[0], True, 1e-12, GAMMA)[0])


def test_skip_that_is_larger(tmp_path):
    model = build("SkipLayerNormalization", ["x", "skip", "g"], ["y"],
                  "com.microsoft")
    model.graph.input[0].CopyFrom(value("x", SHAPE[1:]))
    with pytest.raises(qopt.ModelError) as error:
        load(tmp_path, model)
    assert "expects a skip that broadcasts to x 3x17, got 2x3x17" in str(
        error.value)


@pytest.mark.parametrize("opset", [8, 13, 16])
@pytest.mark.parametrize("axis", [-1, 1])
def test_before_opset_17(tmp_path, opset, axis):
    model = build("LayerNormalization", ["x", "g", "be"], ["y", "mean", "inv"],
                  "", opset=opset, axis=axis, epsilon=1e-5)
    y, mean, inverse = run(tmp_path, model, X)
    want, m, inv = normalize(X, True, 1e-5, GAMMA,
                             (-1,) if axis == -1 else (1, 2))
    close(y, want + BETA)
    close(mean, m)
    close(inverse, inv)


def test_halves(tmp_path):
    """Normalized in f32, rounded where ONNX's function body casts."""
    node = helper.make_node("SkipSimplifiedLayerNormalization",
                            ["x", "skip", "g"], ["y"], domain="com.microsoft")
    model = model_of([node], [value(n, SHAPE, T.FLOAT16) for n in ("x", "skip")],
                     [value("y", SHAPE, T.FLOAT16)],
                     [numpy_helper.from_array(GAMMA.astype(np.float16), "g")],
                     domains=["com.microsoft"])
    x, skip = X.astype(np.float16), SKIP.astype(np.float16)
    got = run(tmp_path, model, x, skip)[0]
    want = normalize(x + skip, False, 1e-12, GAMMA)[0]
    assert np.abs(got - want).max() <= 2e-3 * np.abs(want).max()

