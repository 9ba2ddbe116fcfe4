# SPDX-License-Identifier: Apache-2.0
"""Mixtures of experts against ONNX Runtime, or by hand where it has none."""
import numpy as np
import pytest

from modules import run_model
from onnx_files import load
from test_decoder_operators import check, make, normal

EXPERTS = 4


def experts(tokens=5, width=8, inner=6, parts=1, bias=True):
    feeds = {"x": normal(tokens, width), "r": normal(tokens, EXPERTS),
             "w1": normal(EXPERTS, parts * inner, width),
             "b1": normal(EXPERTS, parts * inner),
             "w2": normal(EXPERTS, width, inner),
             "b2": normal(EXPERTS, width)}
    return feeds if bias else feeds | {"b1": None, "b2": None}


@pytest.mark.parametrize("activation", ["relu", "gelu", "silu", "identity"])
@pytest.mark.parametrize("normalize", [0, 1])
@pytest.mark.parametrize("k", [1, 2, 4])
def test_shares(tmp_path, activation, normalize, k):
    check(tmp_path, "MoE", experts(bias=k > 1), activation_type=activation, k=k,
          normalize_routing_weights=normalize, constants=["w1", "w2", "b2"])


@pytest.mark.parametrize("more", [{}, {
    "activation_alpha": 1.702, "activation_beta": 1.0, "swiglu_limit": 0.7}])
def test_interleaved_gates(tmp_path, more):
    check(tmp_path, "MoE", experts(parts=2), activation_type="swiglu",
          swiglu_fusion=1, k=2, normalize_routing_weights=1,
          constants=["w1", "w2"], **more)


def test_batches(tmp_path):
    feeds = experts(tokens=6)
    feeds["x"] = feeds["x"].reshape(2, 3, 8)
    check(tmp_path, "MoE", feeds, activation_type="relu", k=2)


def mix(x, router, gate, value, w2, k):
    """swiglu of two layers, by hand."""
    y = np.zeros(x.shape)
    for n, row in enumerate(x):
        best = np.argsort(-router[n], kind="stable")[:k]
        share = np.exp(router[n, best] - router[n].max())
        for s, e in zip(share / share.sum(), best, strict=True):
            g, v = gate[e] @ row, value[e] @ row
            y[n] += s * (w2[e] @ (g / (1 + np.exp(-g)) * v))
    return y


@pytest.mark.parametrize("form", ["halves", "apart", "gated"])
def test_gates_of_other_layouts(tmp_path, form):
    """ONNX Runtime has these on GPUs only."""
    f = experts(bias=False)
    w3 = normal(EXPERTS, 6, 8, seed=3)
    want = mix(f["x"], f["r"], f["w1"], w3, f["w2"], 2)
    more = {"activation_type": "silu" if form == "gated" else "swiglu"}
    if form == "halves":
        f["w1"] = np.concatenate([f["w1"], w3], 1)
        more["swiglu_fusion"] = 2
    else:
        f["w3"] = w3
    model, given = make("MoE", f, ["y"], k=2, normalize_routing_weights=1,
                        constants=["w1", "w2", "w3"], **more)
    got = run_model(load(tmp_path, model), *given.values())[0]
    assert np.allclose(got, want, 1e-4, 1e-5)


def test_infinite_experts_that_no_row_chose(tmp_path):
    f = experts(bias=False)
    f["r"][:, 2] = -9
    want_of = {}
    for big in (1, np.inf):
        f["w1"][2, 0, 0] = big
        model, given = make("MoE", f, ["y"], k=2, activation_type="identity",
                            constants=["w2"])
        want_of[big] = run_model(load(tmp_path, model), *given.values())[0]
    assert np.array_equal(want_of[1], want_of[np.inf])


def pack(codes, bits):
    per = 8 // bits
    codes = np.concatenate([codes, np.zeros(
        (*codes.shape[:-1], -codes.shape[-1] % per), np.uint8)], -1)
    codes = codes.reshape(*codes.shape[:-1], -1, per)
    return sum(codes[..., i] << (bits * i) for i in range(per)).astype(
        np.uint8)


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("block", [0, 16])
@pytest.mark.parametrize("zeros", [False, True])
def test_packed_experts(tmp_path, bits, block, zeros):
    rng = np.random.default_rng(bits)
    width, inner = 32, 64

    def codes(*shape):
        return rng.integers(0, 2 ** bits, shape).astype(np.uint8)

    def layer(n, k):
        groups = (k // block,) if block else ()
        scale = rng.uniform(0.01, 0.1, (EXPERTS, n, *groups))
        return (pack(codes(EXPERTS, n, k), bits), scale.astype(np.float32),
                pack(codes(EXPERTS, n, *groups), bits))

    w1, s1, z1 = layer(inner, width)
    w2, s2, z2 = layer(width, inner)
    feeds = {"x": normal(5, width), "r": normal(5, EXPERTS), "w1": w1,
             "s1": s1, "b1": normal(EXPERTS, inner), "w2": w2, "s2": s2,
             "b2": None, "w3": None, "s3": None, "b3": None,
             "z1": z1 if zeros else None, "z2": z2 if zeros else None}
    more = {"block_size": block} if block else {}
    # Blocks of 8 bits: ONNX Runtime rounds the rows as well.
    atol = 30 if block and bits == 8 else 2e-3
    check(tmp_path, "QMoE", feeds, k=2, expert_weight_bits=bits, atol=atol,
          activation_type="silu", normalize_routing_weights=1,
          constants=["w1", "s1", "b1", "w2", "s2", "z1", "z2"], **more)


@pytest.mark.parametrize("normalize", [0, 1])
def test_shares_from_elsewhere(tmp_path, normalize):
    rng = np.random.default_rng(0)
    feeds = {"x": normal(5, 32), "r": normal(5, EXPERTS)}
    for i in (1, 2):
        feeds |= {f"w{i}": rng.integers(0, 256, (EXPERTS, 32, 16)).astype(
            np.uint8), f"s{i}": np.full((EXPERTS, 32), 0.1, np.float32),
            f"b{i}": None}
    for n in ("w3", "s3", "b3", "z1", "z2", "z3"):
        feeds[n] = None
    feeds["share"] = np.abs(normal(5, EXPERTS, seed=1))
    check(tmp_path, "QMoE", feeds, k=2, activation_type="relu", atol=2e-4,
          normalize_routing_weights=normalize,
          constants=["w1", "s1", "w2", "s2"])
