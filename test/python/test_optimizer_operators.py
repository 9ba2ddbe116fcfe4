# SPDX-License-Identifier: Apache-2.0
"""More operators that optimizers write: against ONNX Runtime where it has a
kernel for CPUs, else against their text in numpy."""
import math

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto as T

from modules import run_model
from onnx_files import load
from test_decoder_operators import check, make, normal


def run(folder, op, feeds, outputs=("y",), **more):
    model, given = make(op, feeds, outputs, **more)
    return run_model(load(folder, model), *given.values())


def bytes_of(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).integers(
        0, 256, shape).astype(np.uint8)


def f32(x):
    return np.array(x, np.float32)


def u8(x):
    return np.array(x, np.uint8)


def erf(x):
    return np.vectorize(math.erf)(x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def close(a, b, atol=2e-5):
    assert a.shape == b.shape
    assert np.allclose(a, b, 1e-4, atol), np.abs(a - b).max()


def test_split_gelu(tmp_path):
    x, b = normal(2, 3, 8), normal(8)
    left, right = np.split((x + b).astype(float), 2, -1)
    want = left * 0.5 * right * (1 + erf(right / np.sqrt(2)))
    close(run(tmp_path, "BiasSplitGelu", {"x": x, "b": b})[0], want)


def test_sum_of_three(tmp_path):
    x, b, s = normal(2, 3, 8), normal(8), normal(2, 3, 8, seed=1)
    close(run(tmp_path, "BiasAdd", {"x": x, "b": b, "s": s})[0], x + b + s)


def normalize_groups(x, gamma, beta, groups, epsilon):
    """x [N, H, W, C]."""
    n, c = x.shape[0], x.shape[-1]
    g = x.astype(float).reshape(n, -1, groups, c // groups)
    mean = g.mean((1, 3), keepdims=True)
    g = (g - mean) / np.sqrt(((g - mean) ** 2).mean((1, 3), keepdims=True)
                             + epsilon)
    return g.reshape(x.shape) * gamma + beta


@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize("activation", [0, 1])
@pytest.mark.parametrize("skip", [None, "whole", "column", "row"])
def test_groups(tmp_path, last, activation, skip):
    x, gamma, beta = normal(2, 3, 5, 8), normal(8), normal(8, seed=1)
    feeds, total, outputs = {"x": x, "g": gamma, "b": beta}, x, ["y"]
    if skip:
        s = normal(*{"whole": x.shape, "column": (2, 1, 1, 8),
                     "row": (2, 8)}[skip], seed=2)
        feeds |= {"s": s, "bias": normal(8, seed=3)}
        total = x + s.reshape(-1, *(1, 1, 8) if skip == "row"
                              else s.shape[1:]) + feeds["bias"]
        outputs.append("sum")
    want = normalize_groups(total, gamma, beta, 2, 1e-3)
    want = want * sigmoid(want) if activation else want
    if not last:
        for n in ("x", "s"):
            if n in feeds and feeds[n].ndim == 4:
                feeds[n] = np.ascontiguousarray(
                    feeds[n].transpose(0, 3, 1, 2))
        want, total = (v.transpose(0, 3, 1, 2) for v in (want, total))
    got = run(tmp_path, "SkipGroupNorm" if skip else "GroupNorm", feeds,
              outputs, groups=2, activation=activation, channels_last=last,
              epsilon=1e-3)
    close(got[0], want)
    if skip:
        close(got[1], total)


def bucket(distance, buckets, farthest, both):
    first = 0
    if both:
        buckets //= 2
        first = buckets * (distance > 0)
        distance = abs(distance)
    else:
        distance = max(-distance, 0)
    exact = buckets // 2
    if distance < exact:
        return first + distance
    far = math.log(distance / exact) / math.log(farthest / exact)
    return first + min(exact + int(far * (buckets - exact)), buckets - 1)


@pytest.mark.parametrize("both", [0, 1])
def test_bias_by_distance(tmp_path, both):
    """The table is declared [buckets, heads] and stored the other way."""
    table = normal(2, 32)
    places = np.array([[bucket(k - q, 32, 128, both) for k in range(60)]
                       for q in range(60)])
    got = run(tmp_path, "RelativePositionBias",
              {"t": table.reshape(32, 2), "q": np.array([60]),
               "k": np.array([60])}, constants=["q", "k"],
              max_distance=128, is_bidirectional=both)
    assert np.array_equal(got[0], table[:, places][None])


def test_gated_bias(tmp_path):
    q, qb, bias = normal(2, 3, 8), normal(8), normal(1, 2, 3, 3)
    w, b, e = normal(4, 6), normal(6), normal(1, 2, 1, 1)
    heads = (q + qb).reshape(2, 3, 2, 4).transpose(0, 2, 1, 3).astype(float)
    gates = sigmoid((heads @ w + b).reshape(2, 2, 3, 2, 3).sum(-1))
    gate = gates[..., :1] * (gates[..., 1:] * e - 1) + 2
    close(run(tmp_path, "GatedRelativePositionBias",
              {"q": q, "qb": qb, "r": bias, "w": w, "b": b, "e": e},
              num_heads=2)[0], gate * bias)


@pytest.mark.parametrize("group", [1, 2])
def test_convolution_of_channels_last(tmp_path, group):
    """Weights as the optimizer transposes them."""
    x, w, b = normal(1, 6, 5, 4), normal(8, 3, 3, 4 // group), normal(8)
    more = {"pads": [1, 0, 1, 2], "strides": [2, 1], "group": group}
    got = run(tmp_path, "NhwcConv", {"x": x, "w": w, "b": b}, **more)[0]
    model, given = make("FusedConv", {
        "x": x.transpose(0, 3, 1, 2), "w": w.transpose(0, 3, 1, 2), "b": b},
        ["y"], **more)
    want = onnxruntime.InferenceSession(model.SerializeToString()).run(
        None, {n: np.ascontiguousarray(v) for n, v in given.items()})
    close(got, want[0].transpose(0, 2, 3, 1))


@pytest.mark.parametrize("last", [0, 1])
def test_stored_convolution(tmp_path, last):
    x = bytes_of(1, 5, 6, 4) if last else bytes_of(1, 4, 5, 6)
    feeds = {"x": x, "xs": f32(0.02), "xz": u8(120),
             "w": bytes_of(8, 4, 3, 3).view(np.int8), "ws": f32(0.01),
             "wz": np.array(0, np.int8), "ys": f32(0.05), "yz": u8(128),
             "b": np.arange(8, dtype=np.int32) * 100}
    check(tmp_path, "QLinearConv", feeds, kind=T.UINT8, atol=1,
          channels_last=last, pads=[1, 1, 1, 1],
          constants=["xs", "xz", "w", "ws", "wz", "ys", "yz", "b"])


def test_maximum_of_channels_last(tmp_path):
    check(tmp_path, "NhwcMaxPool", {"x": bytes_of(1, 5, 6, 4)}, kind=T.UINT8,
          kernel_shape=[2, 3], strides=[2, 1], pads=[0, 1, 1, 0])


def test_stored_choice(tmp_path):
    feeds = {"c": np.array([[True], [False]]), "x": bytes_of(2, 5),
             "xs": f32(0.1), "xz": u8(100), "y": bytes_of(5), "ys": f32(0.02),
             "yz": u8(3), "zs": f32(0.15), "zz": u8(128)}
    model, given = make("QLinearWhere", feeds | {"c": bytes_of(2, 1)}, ["z"],
                        kind=T.UINT8, constants=[
                            n for n in feeds if n[-1] in "sz" and n != "z"])
    model.graph.input[0].type.tensor_type.elem_type = T.BOOL
    given["c"] = feeds["c"]
    got = run_model(load(tmp_path, model), *given.values())[0]
    real = np.where(feeds["c"], (feeds["x"].astype(np.float32) - 100)
                    * f32(0.1), (feeds["y"].astype(np.float32) - 3) * f32(0.02))
    want = np.clip(np.rint(real / f32(0.15)) + 128, 0, 255)
    assert np.array_equal(got, want)
    assert np.abs(onnxruntime.InferenceSession(model.SerializeToString()).run(
        None, given)[0].astype(int) - got).max() <= 1


@pytest.mark.parametrize("axes,keep", [([1], 1), ([-1, 0], 0)])
def test_stored_mean(tmp_path, axes, keep):
    x = bytes_of(2, 3, 4)
    got = run(tmp_path, "QLinearReduceMean", {
        "x": x, "xs": f32(0.1), "xz": u8(100), "ys": f32(0.05), "yz": u8(9)},
        kind=T.UINT8, axes=axes, keepdims=keep,
        constants=["xs", "xz", "ys", "yz"])[0]
    mean = ((x.astype(float) - 100) * 0.1).mean(tuple(axes),
                                                keepdims=bool(keep))
    want = np.clip(np.rint(mean / 0.05) + 9, 0, 255)
    assert got.shape == want.shape and np.abs(got - want).max() <= 1


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("k,block", [(32, 32), (24, 16), (16, 64)])
def test_codes_of_bitsandbytes(tmp_path, kind, k, block):
    n = 8
    feeds = {"a": normal(2, 3, k), "b": bytes_of(n * k // 2),
             "m": np.abs(normal(-(-n * k // block)))}
    more = {"N": n, "K": k, "block_size": block, "quant_type": kind,
            "constants": ["b", "m"]}
    check(tmp_path, "MatMulBnb4", feeds, **more)
    # ONNX Runtime reads memory that nobody wrote where transB is 0: the same
    # codes by rows of an identity instead.
    eye = np.eye(k, dtype=np.float32)
    weight = run(tmp_path, "MatMulBnb4", feeds | {"a": eye}, **more)[0].T
    back = normal(2, 3, n)
    close(run(tmp_path, "MatMulBnb4", feeds | {"a": back}, transB=0,
              **more)[0], back @ weight)


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("zeros", [False, True])
def test_rows_of_codes(tmp_path, bits, zeros):
    groups, rows, width = 2, 6, 32
    feeds = {"d": bytes_of(rows, width * bits // 8),
             "i": np.array([[1, 5], [0, -1]]),
             "s": np.abs(normal(rows, groups)),
             "z": bytes_of(rows, -(-groups * bits // 8)) if zeros else None}
    check(tmp_path, "GatherBlockQuantized", feeds, block_size=16, bits=bits,
          constants=["d", "s", "z"])


def test_rows_outside(tmp_path):
    feeds = {"d": bytes_of(3, 16), "i": np.array([0, 3, -4, 2]),
             "s": np.abs(normal(3, 2))}
    got = run(tmp_path, "GatherBlockQuantized", feeds, block_size=16,
              constants=["d", "s"])[0]
    assert not got[1:3].any() and got[0].any() and got[3].any()


@pytest.mark.parametrize("form", ["crossed", "past", "bias"])
def test_one_query(tmp_path, form):
    feeds = {"q": normal(2, 1, 8), "k": normal(2, 2, 5, 4),
             "v": normal(2, 2, 5, 4, seed=1)}
    if form == "crossed":
        feeds["m"] = np.array([[1, 1, 1, 0, 1], [1, 1, 0, 1, 1]], np.int32)
        return check(tmp_path, "DecoderMaskedMultiHeadAttention", feeds,
                     num_heads=2)
    feeds |= {"k": normal(2, 1, 8), "v": normal(2, 1, 8, seed=1)}
    more = {"num_heads": 2}
    own = feeds | {"m": None, "a": None, "pk": normal(2, 2, 4, 4),
                   "pv": normal(2, 2, 4, 4, seed=1)}
    same = feeds | {"b": None, "m": None, "a": None, "pk": own["pk"],
                    "pv": own["pv"]}
    if form == "bias":
        own |= {"n": None, "w": None, "c": None, "b": normal(24)}
        same["b"] = own["b"]
    outputs = ["y", "present_k", "present_v"]
    got = run(tmp_path, "DecoderMaskedMultiHeadAttention", own, outputs, **more)
    want = run(tmp_path, "MultiHeadAttention", same, outputs, **more)
    for a, b in zip(got, want, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("packed", [False, True])
def test_sequences_behind_each_other(tmp_path, packed):
    """Each as if it were alone."""
    q, k, v = (normal(5, 8, seed=i) for i in range(3))
    more = {"num_heads": 2}
    feeds = {"q": q, "k": k, "v": v}
    if packed:
        feeds = {"q": np.stack([x.reshape(5, 2, 4) for x in (q, k, v)], 2),
                 "k": None, "v": None}
    feeds |= {"b": None, "t": np.arange(6, dtype=np.int32).reshape(2, 3),
              "c": np.array([0, 3, 5], np.int32)}
    got = run(tmp_path, "PackedMultiHeadAttention", feeds, **more)[0]
    for begin, end in ((0, 3), (3, 5)):
        model, given = make("MultiHeadAttention", {
            n: x[None, begin:end] for n, x in zip("qkv", (q, k, v),
                                                  strict=True)}, ["y"], **more)
        want = onnxruntime.InferenceSession(model.SerializeToString()).run(
            None, given)[0]
        close(got[begin:end], want[0])


def test_packed_with_a_weight(tmp_path):
    x, w, b = normal(5, 6), normal(6, 24), normal(24)
    got = run(tmp_path, "PackedAttention", {
        "x": x, "w": w, "b": b, "t": np.arange(6, dtype=np.int32).reshape(2, 3),
        "c": np.array([0, 3, 5], np.int32)}, num_heads=2)[0]
    for begin, end in ((0, 3), (3, 5)):
        model, given = make("Attention", {"x": x[None, begin:end], "w": w,
                                          "b": b}, ["y"], num_heads=2)
        want = onnxruntime.InferenceSession(model.SerializeToString()).run(
            None, given)[0]
        close(got[begin:end], want[0])


@pytest.mark.parametrize("upper", [0, 1])
def test_triangle(tmp_path, upper):
    check(tmp_path, "Trilu", {"x": normal(4, 5)}, upper=upper)
