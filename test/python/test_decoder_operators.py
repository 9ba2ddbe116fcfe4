# SPDX-License-Identifier: Apache-2.0
"""Operators of decoders that ONNX Runtime has, against ONNX Runtime."""
import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto as T
from onnx import helper, numpy_helper

from modules import run_model
from onnx_files import load, model_of, value

KINDS = {"float32": T.FLOAT, "float16": T.FLOAT16, "int64": T.INT64,
         "int32": T.INT32, "uint8": T.UINT8, "int8": T.INT8}


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(
        size=shape).astype(np.float32)


def make(op, feeds, outputs, constants=(), kind=T.FLOAT, **attributes):
    """`feeds`: input name to array, None for an input left out."""
    names = [n if x is not None else "" for n, x in feeds.items()]
    while names and not names[-1]:
        names.pop()
    given = {n: x for n, x in feeds.items() if x is not None}
    node = helper.make_node(op, names, list(outputs), domain="com.microsoft",
                            **attributes)
    model = model_of(
        [node], [value(n, x.shape, KINDS[x.dtype.name])
                 for n, x in given.items() if n not in constants],
        [value(n, None, kind) for n in outputs],
        [numpy_helper.from_array(given[n], n) for n in constants
         if n in given], opset=17, domains=["com.microsoft"])
    return model, {n: x for n, x in given.items() if n not in constants}


def run_both(folder, op, feeds, outputs=("y",), **more):
    model, given = make(op, feeds, outputs, **more)
    want = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]).run(
            None, given)
    return run_model(load(folder, model), *given.values()), want


def check(folder, op, feeds, outputs=("y",), atol=2e-5, **more):
    got, want = run_both(folder, op, feeds, outputs, **more)
    for a, b in zip(got, want, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        assert np.allclose(a, b, 1e-4, atol), np.abs(a - b).max()


CACHED = ("y", "present_key", "present_value")


def grouped(length, past=None, total=None, lengths=None, heads=4, groups=2,
            width=16, batch=1):
    """Operands of GroupQueryAttention; `past` positions in the cache."""
    total = total or (past or 0) + length
    feeds = {"q": normal(batch, length, heads * width),
             "k": normal(batch, length, groups * width),
             "v": normal(batch, length, groups * width, seed=1),
             "pk": None, "pv": None}
    if past is not None:
        feeds["pk"] = normal(batch, groups, past, width)
        feeds["pv"] = normal(batch, groups, past, width, seed=1)
    feeds["lengths"] = np.array(lengths or [total] * batch, np.int32) - 1
    feeds["total"] = np.array(total, np.int32)
    return feeds


HEADS = {"num_heads": 4, "kv_num_heads": 2}


def angles(positions=32, half=8):
    table = np.outer(np.arange(positions), 0.5 ** np.arange(half)) * 0.3
    return {"cos": np.cos(table).astype(np.float32),
            "sin": np.sin(table).astype(np.float32)}


def test_prompt(tmp_path):
    check(tmp_path, "GroupQueryAttention", grouped(5), CACHED,
          constants=["total"], **HEADS)


@pytest.mark.parametrize("more", [
    {}, {"scale": 0.3}, {"softcap": 2.0}, {"local_window_size": 3},
    {"smooth_softmax": 1}, {"smooth_softmax": 1, "local_window_size": 2}])
@pytest.mark.parametrize("length,past", [(5, None), (1, 6), (3, 4)])
def test_forms_of_scores(tmp_path, more, length, past):
    check(tmp_path, "GroupQueryAttention", grouped(length, past), CACHED,
          constants=["total"], **HEADS, **more)


def test_not_causal(tmp_path):
    check(tmp_path, "GroupQueryAttention", grouped(4), CACHED,
          constants=["total"], causal=0, **HEADS)


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("half", [16, 8])
@pytest.mark.parametrize("length,past", [(5, None), (1, 6), (3, 4)])
def test_rotated(tmp_path, length, past, half, interleaved):
    feeds = grouped(length, past, width=32) | angles(half=half)
    check(tmp_path, "GroupQueryAttention", feeds, CACHED,
          constants=["total", "cos", "sin"], do_rotary=1,
          rotary_interleaved=interleaved, **HEADS)


@pytest.mark.parametrize("length,past", [(4, None), (1, 6)])
def test_rotated_by_given_positions(tmp_path, length, past):
    feeds = grouped(length, past) | angles()
    feeds["ids"] = np.arange(3, 3 + length).reshape(1, length)
    check(tmp_path, "GroupQueryAttention", feeds, CACHED,
          constants=["total"], do_rotary=1, **HEADS)


def test_packed(tmp_path):
    feeds = grouped(3, 4)
    feeds["q"] = np.concatenate([feeds[n] for n in "qkv"], -1)
    feeds.update(k=None, v=None)
    check(tmp_path, "GroupQueryAttention", feeds | angles(), CACHED,
          constants=["total"], do_rotary=1, **HEADS)


@pytest.mark.parametrize("sink", [False, True])
def test_biased(tmp_path, sink):
    feeds = grouped(2, 5)
    feeds.update(cos=None, sin=None, ids=None, bias=normal(1, 1, 2, 7))
    if sink:
        feeds["sink"] = normal(4)
    check(tmp_path, "GroupQueryAttention", feeds, CACHED,
          constants=["total"], **HEADS)


def test_lengths_of_a_batch(tmp_path):
    """Each continues where its own positions end; what lies behind is open."""
    feeds = grouped(1, 6, batch=3, lengths=[7, 3, 1])
    got, want = run_both(tmp_path, "GroupQueryAttention", feeds, CACHED,
                         constants=["total"], **HEADS)
    assert np.allclose(got[0], want[0], 1e-4, 2e-5)
    for a, b in zip(got[1:], want[1:], strict=True):
        for row, n in enumerate([7, 3, 1]):
            assert np.array_equal(a[row, :, :n], b[row, :, :n])


@pytest.mark.parametrize("total", [3, 4, 8])
@pytest.mark.parametrize("known", [True, False])
def test_shared_buffer(tmp_path, total, known):
    """Caches as long as they ever get; a prompt is where nothing precedes."""
    feeds = grouped(3, 8, total) | angles()
    model, given = make("GroupQueryAttention", feeds, CACHED, do_rotary=1,
                        constants=["total"] if known else [], **HEADS)
    for index in (1, 2):
        model.graph.output[index].CopyFrom(
            value(CACHED[index], feeds["pk"].shape))
    got = run_model(load(tmp_path, model), *given.values())
    # The same with the cache cut to what counts.
    short = dict(feeds)
    for n in ("pk", "pv"):
        short[n] = feeds[n][:, :, :total - 3] if total > 3 else None
    model, given = make("GroupQueryAttention", short, CACHED, do_rotary=1,
                        **HEADS)
    want = onnxruntime.InferenceSession(model.SerializeToString()).run(
        None, given)
    assert np.allclose(got[0], want[0], 1e-4, 2e-5)
    for a, b, past in zip(got[1:], want[1:], (feeds["pk"], feeds["pv"]),
                          strict=True):
        assert np.allclose(a[:, :, :total], b, 1e-4, 2e-5)
        assert np.array_equal(a[:, :, total:], past[:, :, total:])


def test_normalized_heads(tmp_path):
    """ONNX Runtime has these on GPUs only: the same of heads normalized."""
    feeds = grouped(3)
    rms = {n: feeds[n].reshape(1, 3, -1, 16) for n in "qk"}
    weights = {"q": normal(16), "k": normal(16, seed=1)}
    plain = dict(feeds)
    for n, x in rms.items():
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-3) * weights[n]
        plain[n] = x.reshape(1, 3, -1).astype(np.float32)
    for n in ("cos", "sin", "ids", "bias", "sink", "ks", "vs"):
        feeds[n] = None
    feeds |= {"qn": weights["q"], "kn": weights["k"]}
    model, given = make("GroupQueryAttention", feeds, CACHED[:1],
                        constants=["total"], qk_norm_epsilon=1e-3, **HEADS)
    got = run_model(load(tmp_path, model), *given.values())
    model, given = make("GroupQueryAttention", plain, CACHED[:1], **HEADS)
    want = onnxruntime.InferenceSession(model.SerializeToString()).run(
        None, given)
    assert np.allclose(got[0], want[0], 1e-4, 2e-5)


@pytest.mark.parametrize("capacity", [4, 6])
@pytest.mark.parametrize("length,total", [
    (1, 3), (1, 4), (1, 5), (1, 7), (1, 13), (3, 3), (3, 4), (3, 9), (5, 5),
    (7, 20)])
@pytest.mark.parametrize("sink", [False, True])
def test_sliding_cache(tmp_path, capacity, length, total, sink):
    """What lies behind the positions that are left is open."""
    feeds = grouped(length, capacity, total) | angles()
    if sink:
        feeds |= {"ids": None, "bias": None, "sink": normal(4)}
    got, want = run_both(tmp_path, "GroupQueryAttention", feeds, CACHED,
                         constants=["cos", "sin"], do_rotary=1,
                         sliding_window_cache=1, local_window_size=4, **HEADS)
    assert np.allclose(got[0], want[0], 1e-4, 2e-5)
    step = capacity - 3
    left = total - step * max(0, -(-(total - capacity) // step))
    for a, b in zip(got[1:], want[1:], strict=True):
        assert a.shape == b.shape
        assert np.allclose(a[:, :, :left], b[:, :, :left], 1e-4, 2e-5)


def test_sliding_caches_of_a_batch(tmp_path):
    feeds = grouped(1, 5, 9, lengths=[9, 4, 1], batch=3)
    got, want = run_both(tmp_path, "GroupQueryAttention", feeds, CACHED,
                         sliding_window_cache=1, local_window_size=4, **HEADS)
    assert np.allclose(got[0], want[0], 1e-4, 2e-5)
    for a, b in zip(got[1:], want[1:], strict=True):
        for row, n in enumerate([5, 4, 1]):
            assert np.array_equal(a[row, :, :n], b[row, :, :n])
