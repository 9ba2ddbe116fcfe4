# SPDX-License-Identifier: Apache-2.0
"""How often f16 rounds: once per ONNX op, from exact arithmetic. The node test
`attention_4d_causal_fp16` rounds every step inside its softmax as well, and
disagrees with this in two elements of 192 by more than the runner allows."""
import numpy as np
import pytest

import qopt

pytest.importorskip("onnx")
f16, f64 = np.float16, np.float64


def rounded(x):
    return x.astype(f16).astype(f64)


def softmax_once(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return rounded(e / e.sum(-1, keepdims=True))


def softmax_stepwise(x):
    """The function body that ONNX gives for Softmax, each op in f16."""
    e = rounded(np.exp(rounded(x - x.max(-1, keepdims=True))))
    return rounded(e / rounded(e.sum(-1, keepdims=True)))


def attention(q, k, v, softmax):
    q, k, v = (x.astype(f64) for x in (q, k, v))
    scale = f64(f16(np.sqrt(1 / np.sqrt(q.shape[-1]))))
    scores = rounded(rounded(q * scale)
                     @ rounded(k * scale).transpose(0, 1, 3, 2))
    seen = np.tri(q.shape[2], k.shape[2], dtype=bool)
    return (softmax(np.where(seen, scores, -np.inf)) @ v).astype(f16)


def error(y, exact):
    return np.sqrt(np.mean(((y.astype(f64) - exact) / exact) ** 2))


@pytest.mark.parametrize("name", ["test_attention_4d_causal_fp16",
                                  "test_attention_4d_causal_fp16_expanded"])
def test_one_rounding_per_op(name):
    from onnx.backend.test.case.node import collect_testcases
    case = next(c for c in collect_testcases(None) if c.name == name)
    (inputs, (expected,)), = case.data_sets
    feeds = dict(zip([i.name for i in case.model.graph.input], inputs))
    program = qopt.compile_onnx(case.model.SerializeToString(),
                                shapes={n: x.shape for n, x in feeds.items()})
    got, = program.run_list([feeds[n] for n in program.input_names])

    q, k, v = inputs[:3]
    assert np.array_equal(got, attention(q, k, v, softmax_once))
    # What the test expects is the same with more roundings.
    assert np.array_equal(expected, attention(q, k, v, softmax_stepwise))
    d = q.shape[-1]
    scores = q.astype(f64) @ k.astype(f64).transpose(0, 1, 3, 2) / np.sqrt(d)
    seen = np.tri(q.shape[2], k.shape[2], dtype=bool)
    e = np.exp(np.where(seen, scores, -np.inf))
    exact = e / e.sum(-1, keepdims=True) @ v.astype(f64)
    assert error(got, exact) < error(expected, exact)
    assert np.allclose(got.astype(f64), exact, rtol=1e-3, atol=1e-7)
