# SPDX-License-Identifier: Apache-2.0
"""Networks that keep their memory in inputs and results: a caller of plain C
hands the bytes of a cache from frame to frame as they are."""
import subprocess

import numpy as np
import pytest

ort = pytest.importorskip("onnxruntime")
import onnx  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from test_coverage import bench  # noqa: E402
from test_recurrent_integers import QOPT  # noqa: E402

FRAMES = 24


def convolutions(layers, new, taps=5):
    """A causal network of convolutions: each reads its cache and `new` frames,
    and gives the end of both as its next cache."""
    rng = np.random.default_rng(layers + new)
    nodes, constants, inputs, outputs = [], [], [("x", [1, 4, new])], []

    def constant(name, values):
        constants.append(numpy_helper.from_array(values, name))
        return name

    value, channels = "x", 4
    ends = [constant("begin", np.array([new])),
            constant("end", np.array([new + taps - 1])),
            constant("axis", np.array([2]))]
    for i in range(layers):
        inputs.append((f"cache{i}", [1, channels, taps - 1]))
        w = rng.normal(0, (2 / (channels * taps)) ** 0.5, (8, channels, taps))
        nodes += [
            helper.make_node("Concat", [f"cache{i}", value], [f"seen{i}"],
                             axis=2),
            helper.make_node("Slice", [f"seen{i}", *ends], [f"next{i}"]),
            helper.make_node("Conv", [f"seen{i}", constant(
                f"w{i}", w.astype(np.float32))], [f"sum{i}"], name=f"conv{i}"),
            helper.make_node("Relu", [f"sum{i}"], [f"y{i}"])]
        outputs.append(f"next{i}")
        value, channels = f"y{i}", 8
    nodes.append(helper.make_node("Conv", [value, constant(
        "w", rng.normal(0, 0.3, (3, 8, 1)).astype(np.float32))], ["y"]))
    return nodes, constants, inputs, ["y", *outputs]


def recurrent(kind, new):
    """The state of a layer that sees `new` steps a frame."""
    rng = np.random.default_rng(new)
    rows = {"GRU": 3, "RNN": 1}[kind] * 12
    constants = [numpy_helper.from_array(
        (rng.normal(size=s) / 3).astype(np.float32), n)
        for n, s in (("w", (1, rows, 6)), ("r", (1, rows, 12)))]
    node = helper.make_node(kind, ["x", "w", "r", "", "", "cache0"],
                            ["y", "next0"], name="layer", hidden_size=12)
    return ([node], constants, [("x", [new, 1, 6]), ("cache0", [1, 1, 12])],
            ["y", "next0"])


def make(parts):
    nodes, constants, inputs, outputs = parts
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "g", [info(n, TensorProto.FLOAT, s) for n, s in inputs],
        [helper.make_empty_tensor_value_info(n) for n in outputs], constants)
    return helper.make_model(graph, ir_version=8,
                             opset_imports=[helper.make_opsetid("", 17)])


def stream(run, inputs, seed):
    """Inputs and results of frames, the first with empty caches."""
    rng = np.random.default_rng(seed)
    state = {n: np.zeros(s, np.float32) for n, s in inputs if n != "x"}
    frames = []
    for _ in range(FRAMES):
        feeds = {"x": rng.uniform(-1, 1, dict(inputs)["x"]).astype(np.float32),
                 **state}
        results = run(feeds)
        frames.append((feeds, results))
        state = {n: results[n.replace("cache", "next")] for n in state}
    return frames


@pytest.mark.parametrize("parts", [
    convolutions(1, 1), convolutions(2, 1), convolutions(3, 4),
    recurrent("GRU", 2), recurrent("RNN", 3)])
def test_caches(tmp_path, parts):
    model, inputs, outputs = make(parts), parts[2], parts[3]
    session = ort.InferenceSession(model.SerializeToString(),
                                   providers=["CPUExecutionProvider"])

    def run_floats(feeds):
        return dict(zip(outputs, session.run(outputs, feeds)))

    seen = stream(run_floats, inputs, 1)
    onnx.save(model, tmp_path / "model.onnx")
    np.savez(tmp_path / "data.npz", **{
        n: np.stack([feeds[n] for feeds, _ in seen]) for n, _ in inputs})
    subprocess.run([QOPT, "compile", tmp_path / "model.onnx", "--data",
                    tmp_path / "data.npz", "--emit=c", "-q", "-o",
                    f"{tmp_path}/code/"], check=True)
    subprocess.run(["make", "-C", tmp_path / "code"], check=True,
                   stdout=subprocess.DEVNULL)
    program = next(p for p in (tmp_path / "code").iterdir()
                   if not p.suffix and p.name[0] not in ".M" and p.is_file())
    text = (tmp_path / "code" / f"{program.name}.h").read_text()
    ports = bench.read_ports(text)
    named = {p.name: p for p in ports}
    for name, _ in inputs[1:]:
        given, last = named[name], named[name.replace("cache", "next")]
        assert (given.scale, given.zero, given.dtype) == \
            (last.scale, last.zero, last.dtype)

    stored = {n: named[n].store(np.zeros(s, np.float32)) for n, s in inputs[1:]}
    got, wanted = [], []
    for feeds, results in stream(run_floats, inputs, 2):
        stored["x"] = named["x"].store(feeds["x"])
        (tmp_path / "in").write_bytes(b"".join(
            stored[p.name].tobytes() for p in ports if p.kind == "input"))
        subprocess.run([program, tmp_path / "in", tmp_path / "out"],
                       check=True, stdout=subprocess.DEVNULL)
        data, at = (tmp_path / "out").read_bytes(), 0
        for p in (p for p in ports if p.kind == "output"):
            count = int(np.prod(p.shape))
            values = np.frombuffer(data, p.dtype, count, at)
            at += count * p.dtype.itemsize
            if p.name == "y":
                got.append(p.read(values))
            else:
                stored[p.name.replace("next", "cache")] = values
        wanted.append(results["y"].reshape(-1))
    assert bench.get_db(np.stack(wanted), np.stack(got)) > 25
