# SPDX-License-Identifier: Apache-2.0
"""Operators that ONNX Runtime's optimizer writes, against ONNX Runtime."""
import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto as T
from onnx import helper

from modules import run_model
from onnx_files import load, model_of, value

KINDS = {"float32": T.FLOAT, "int64": T.INT64, "int32": T.INT32}


def check(folder, op, feeds, outputs=("y",), atol=2e-5, **attributes):
    """`feeds`: input name to array, None for an input left out."""
    names = [n if x is not None else "" for n, x in feeds.items()]
    given = {n: x for n, x in feeds.items() if x is not None}
    node = helper.make_node(op, names, list(outputs), domain="com.microsoft",
                            **attributes)
    model = model_of(
        [node],
        [value(n, x.shape, KINDS[x.dtype.name]) for n, x in given.items()],
        [value(n, None, T.INT32 if n == "counts" else T.FLOAT)
         for n in outputs], opset=17, domains=["com.microsoft"])
    want = onnxruntime.InferenceSession(model.SerializeToString()).run(
        None, given)
    got = run_model(load(folder, model), *given.values())
    for a, b in zip(got, want, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        assert np.allclose(a, b, 1e-4, atol), np.abs(a - b).max()


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(
        size=shape).astype(np.float32)


@pytest.mark.parametrize("op", ["BiasGelu", "FastGelu"])
def test_gelu_of_a_sum(tmp_path, op):
    check(tmp_path, op, {"x": normal(2, 3, 8), "b": normal(8)})


def test_gelu_alone(tmp_path):
    check(tmp_path, "FastGelu", {"x": normal(2, 7)})
    check(tmp_path, "QuickGelu", {"x": normal(2, 7)}, alpha=1.5)
    check(tmp_path, "QuickGelu", {"x": normal(2, 7)})


@pytest.mark.parametrize("a,b", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_fused_products(tmp_path, a, b):
    x = normal(2, 4, 3) if a else normal(2, 3, 4)
    w = normal(2, 5, 4) if b else normal(2, 4, 5)
    check(tmp_path, "FusedMatMul", {"x": x, "w": w}, transA=a, transB=b,
          alpha=0.25)
    check(tmp_path, "FusedGemm", {"x": x[0], "w": w[0], "c": normal(5)},
          transA=a, transB=b, alpha=0.5, beta=2.0, activation="LeakyRelu",
          activation_alpha=0.1)


@pytest.mark.parametrize("name,parameters", [
    ("Relu", []), ("LeakyRelu", [0.3]), ("Clip", [-0.5, 0.7]), ("Tanh", []),
    ("Sigmoid", []), ("HardSigmoid", [0.3, 0.4])])
def test_fused_convolution(tmp_path, name, parameters):
    feeds = {"x": normal(1, 4, 6, 5), "w": normal(8, 2, 3, 3), "b": normal(8)}
    more = {"activation_params": parameters} if parameters else {}
    check(tmp_path, "FusedConv", feeds, activation=name, group=2,
          pads=[1, 1, 1, 1], **more)


def test_convolution_with_a_sum(tmp_path):
    feeds = {"x": normal(1, 4, 6, 5), "w": normal(8, 4, 3, 3), "b": normal(8),
             "z": normal(1, 8, 4, 3)}
    check(tmp_path, "FusedConv", feeds, activation="Relu")


@pytest.mark.parametrize("segments,mask", [(True, True), (False, False)])
def test_embeddings(tmp_path, segments, mask):
    ids = np.array([[1, 4, 2], [0, 5, 5]], np.int32)
    feeds = {"ids": ids, "s": ids % 2 if segments else None,
             "w": normal(6, 8), "p": normal(4, 8),
             "t": normal(2, 8) if segments else None, "g": normal(8),
             "b": normal(8, seed=1)}
    if mask:
        feeds["m"] = np.array([[1, 1, 0], [1, 1, 1]], np.int32)
    check(tmp_path, "EmbedLayerNormalization", feeds, ["y", "counts"],
          epsilon=1e-3)


@pytest.mark.parametrize("causal", [0, 1])
@pytest.mark.parametrize("mask", [None, "lengths", "keys", "past"])
def test_attention(tmp_path, causal, mask):
    feeds = {"x": normal(2, 5, 6), "w": normal(6, 24), "b": normal(24),
             "m": None, "past": None}
    outputs = ["y"]
    if mask == "lengths":
        feeds["m"] = np.array([5, 3], np.int32)
    elif mask == "keys":
        feeds["m"] = np.array([[1, 1, 1, 0, 1], [1, 1, 0, 1, 0]], np.int32)
    elif mask == "past":
        feeds["past"] = normal(2, 2, 2, 3, 4)
        outputs.append("present")
    check(tmp_path, "Attention", feeds, outputs, num_heads=2,
          unidirectional=causal)


@pytest.mark.parametrize("form", ["plain", "bias", "masked", "past", "crossed",
                                  "causal"])
def test_heads(tmp_path, form):
    q, k, v = normal(2, 3, 8), normal(2, 5, 8), normal(2, 5, 8, seed=1)
    feeds = {"q": q, "k": k, "v": v, "b": None, "m": None, "a": None,
             "pk": None, "pv": None}
    outputs, more = ["y"], {}
    if form == "bias":
        feeds["b"] = normal(24)
    elif form == "masked":
        feeds["m"] = np.array([[1, 1, 1, 0, 1], [1, 1, 0, 1, 0]], np.int32)
        feeds["a"] = normal(2, 2, 3, 5)
    elif form == "past":
        feeds.update(k=normal(2, 3, 8), v=normal(2, 3, 8, seed=1),
                     pk=normal(2, 2, 4, 4), pv=normal(2, 2, 4, 4, seed=1))
        outputs = ["y", "present_k", "present_v"]
    elif form == "crossed":
        feeds.update(k=normal(2, 2, 5, 4), v=normal(2, 2, 5, 4, seed=1))
    elif form == "causal":
        feeds.update(k=normal(2, 3, 8), v=normal(2, 3, 8, seed=1))
        more = {"unidirectional": 1, "scale": 0.3}
    while feeds and list(feeds.values())[-1] is None:
        feeds.popitem()
    check(tmp_path, "MultiHeadAttention", feeds, outputs, num_heads=2, **more)


def test_packed_heads(tmp_path):
    """ONNX Runtime has these on GPUs only: the same numbers unpacked."""
    def attend(feeds):
        node = helper.make_node("MultiHeadAttention", list(feeds), ["y"],
                                domain="com.microsoft", num_heads=2)
        model = model_of([node], [value(n, x.shape) for n, x in feeds.items()],
                         [value("y", None)], opset=17,
                         domains=["com.microsoft"])
        return run_model(load(tmp_path, model), *feeds.values())[0]

    packed = normal(2, 3, 2, 3, 4)
    q, k, v = (packed[..., i, :].reshape(2, 3, 8) for i in range(3))
    want = attend({"q": q, "k": k, "v": v})
    assert np.array_equal(attend({"q": packed}), want)
    pair = np.ascontiguousarray(packed[..., 1:, :])
    assert np.array_equal(attend({"q": q, "k": pair}), want)


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("positions", ["offset", "each"])
@pytest.mark.parametrize("flat", [True, False])
def test_rotation(tmp_path, interleaved, positions, flat):
    angles = np.arange(16)[:, None] / np.array([1.0, 10.0])
    p = np.array([2]) if positions == "offset" else np.array(
        [[0, 1, 2], [5, 6, 7]])
    x = normal(2, 3, 12) if flat else normal(2, 3, 3, 4)
    check(tmp_path, "RotaryEmbedding",
          {"x": x, "p": p, "c": np.cos(angles).astype(np.float32),
           "s": np.sin(angles).astype(np.float32)}, interleaved=interleaved)


@pytest.mark.parametrize("op", ["SkipLayerNormalization",
                                "SkipSimplifiedLayerNormalization"])
def test_sums_stay_halves(tmp_path, op):
    """The sum is of the type of its terms, whatever it is computed in."""
    x, s, g = (normal(2, 3, 8, seed=i).astype(np.float16) for i in range(3))
    node = helper.make_node(op, ["x", "s", "g"], ["y", "", "", "sum"],
                            domain="com.microsoft")
    model = model_of([node], [value("x", x.shape, T.FLOAT16),
                              value("s", x.shape, T.FLOAT16),
                              value("g", (8,), T.FLOAT16)],
                     [value("y", None, T.FLOAT16),
                      value("sum", None, T.FLOAT16)],
                     opset=17, domains=["com.microsoft"])
    got = run_model(load(tmp_path, model), x, s, g[0, 0])
    assert [v.dtype for v in got] == [np.float16, np.float16]
    assert np.array_equal(got[1], x + s)


def test_embeddings_of_halves(tmp_path):
    ids = np.array([[1, 4, 2]], np.int32)
    tables = {"w": normal(6, 8), "p": normal(4, 8), "g": normal(8),
              "b": normal(8, seed=1)}

    def run(kind, dtype):
        node = helper.make_node("EmbedLayerNormalization",
                                ["ids", "", "w", "p", "", "g", "b"],
                                ["y", "", "sum"], domain="com.microsoft")
        model = model_of([node], [value("ids", ids.shape, T.INT32)] + [
            value(n, x.shape, kind) for n, x in tables.items()],
            [value("y", None, kind), value("sum", None, kind)], opset=17,
            domains=["com.microsoft"])
        return run_model(load(tmp_path, model), ids,
                         *(x.astype(dtype) for x in tables.values()))

    for half, single in zip(run(T.FLOAT16, np.float16),
                            run(T.FLOAT, np.float32), strict=True):
        assert half.dtype == np.float16
        assert np.allclose(half, single, 1e-2, 5e-3)
