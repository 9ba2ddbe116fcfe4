# SPDX-License-Identifier: Apache-2.0
"""LSTM, GRU and RNN without floats: the interpreter and plain C have the same
bytes, as near to ONNX Runtime's floats as products of bytes with float gates."""
import os
import pathlib
import re
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest

ort = pytest.importorskip("onnxruntime")
import onnx  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

import onnx_files  # noqa: E402
from test_coverage import bench  # noqa: E402
from test_recurrent import layer  # noqa: E402

QOPT = (pathlib.Path(os.environ.get("QOPT_BUILD", "build")) / "bin" /
        "qopt").resolve()
SAMPLES = 48


def make_samples(feeds, seed=1, count=SAMPLES):
    rng = np.random.default_rng(seed)
    return {k: (np.tanh(rng.normal(size=(count, *v.shape))) if k != "x" else
                rng.normal(size=(count, *v.shape))).astype(np.float32)
            for k, v in feeds.items()}


def compile_model(folder, model, feeds, *options):
    onnx.save(model, folder / "model.onnx")
    np.savez(folder / "data.npz", **make_samples(feeds))
    return subprocess.run(
        [QOPT, "compile", folder / "model.onnx", "--data", folder / "data.npz",
         "--scheme", "w8a8", "-q", *options], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def name_outputs(model, keep):
    node = model.graph.node[-1]
    for i, name in enumerate(node.output):
        if name not in keep:
            node.output[i] = ""
    model.graph.ClearField("output")
    for name in keep:
        model.graph.output.append(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, None))


def run_floats(model, samples):
    session = ort.InferenceSession(model.SerializeToString(),
                                   providers=["CPUExecutionProvider"])
    return [session.run(None, {k: v[i] for k, v in samples.items()})
            for i in range(bench.COMPARED)]


def measure_c(folder, model, feeds, expected=None):
    """Decibels of plain C; its bytes are the interpreter's."""
    done = compile_model(folder, model, feeds, "--emit=c", "-o",
                         f"{folder}/code/")
    assert done.returncode == 0, done.stdout
    samples = make_samples(feeds, 2, bench.COMPARED)
    wanted = expected or run_floats(model, samples)
    net = SimpleNamespace(outputs=[o.name for o in model.graph.output])
    decibels, differing = bench.check_c(folder / "code", net, samples, wanted,
                                        QOPT)
    assert differing == 0, differing
    return decibels


def measure_cpu(folder, model, feeds):
    """Decibels of the CPU, its floats rounded as the interface of C is."""
    text = "".join(h.read_text() for h in (folder / "code").glob("*.h"))
    ports = {p.name: p for p in bench.read_ports(text)}
    done = compile_model(folder, model, feeds, "--emit=object,shared,header",
                         "-o", folder / "cpu")
    assert done.returncode == 0, done.stdout
    samples = make_samples(feeds, 2, bench.COMPARED)
    worst = 99.0
    results = []
    for i in range(bench.COMPARED):
        command = [QOPT, "run", folder / "cpu", "-q"]
        for name, array in samples.items():
            np.save(folder / f"{name}.npy", array[i])
            command += ["--input", f"{name}=@{folder}/{name}.npy"]
        names = [o.name for o in model.graph.output]
        for name in names:
            command += ["--output", f"{name}=@{folder}/{name}_out.npy"]
        subprocess.run(command, check=True)
        results.append([
            ports[name].read(ports[name].store(
                np.load(folder / f"{name}_out.npy"))) for name in names])
    for k, rows in enumerate(zip(*run_floats(model, samples))):
        worst = min(worst, bench.get_db(
            np.stack(rows), np.stack([r[k] for r in results])))
    return worst


def check_object(folder, model, feeds):
    """Machine code of the same options has the interpreter's bytes."""
    done = compile_model(folder, model, feeds, "--integer-only", "--requant",
                         "fixed:31", "--emit=object,shared,header", "-o",
                         folder / "integers")
    assert done.returncode == 0, done.stdout
    samples = make_samples(feeds, 3, 2)
    for i in range(2):
        arguments = []
        for name, array in samples.items():
            steps = np.clip(array[i] * 100, -128, 127)
            np.save(folder / f"{name}.npy",
                    (steps + 128).astype(np.uint8) if name == "x" else
                    steps.astype(np.int8))
            arguments += ["--input", f"{name}=@{folder}/{name}.npy"]
        results = []
        for options in ([], ["--reference"]):
            outputs = []
            for o in model.graph.output:
                outputs += ["--output", f"{o.name}=@{folder}/{o.name}_o.npy"]
            subprocess.run([QOPT, "run", folder / "integers", "-q", *options,
                            *arguments, *outputs], check=True)
            results.append([np.load(folder / f"{o.name}_o.npy")
                            for o in model.graph.output])
        for a, b in zip(*results):
            assert np.array_equal(a, b)


KINDS = [("LSTM", {}), ("GRU", dict(linear_before_reset=1)),
         ("GRU", dict(linear_before_reset=0)), ("RNN", {})]


@pytest.mark.parametrize("kind,attributes", KINDS)
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
def test_directions(tmp_path, kind, attributes, direction):
    model, feeds = layer(kind, 9, 1, 7, 13, direction=direction, **attributes)
    name_outputs(model, ["y"])
    assert measure_c(tmp_path, model, feeds) > 28


@pytest.mark.parametrize("kind,attributes", KINDS)
def test_decibels(tmp_path, kind, attributes):
    """Within 1 dB of products of bytes with gates and states in float, whose
    results are rounded to bytes as well by what reads them."""
    model, feeds = layer(kind, 16, 1, 16, 32, **attributes)
    name_outputs(model, ["y"])
    c = measure_c(tmp_path, model, feeds)
    assert c > min(measure_cpu(tmp_path, model, feeds), 40) - 1


@pytest.mark.parametrize("kind,attributes", KINDS)
@pytest.mark.parametrize("batch,steps", [(3, 5), (1, 2)])
def test_states(tmp_path, kind, attributes, batch, steps):
    """Initial states are inputs, last states results: of one encoding."""
    model, feeds = layer(kind, steps, batch, 5, 6, states=True, **attributes)
    name_outputs(model, ["y", "yh"] + (["yc"] if kind == "LSTM" else []))
    assert measure_c(tmp_path, model, feeds) > 20
    header = next((tmp_path / "code").glob("*.h"))
    ports = {p.name: p for h in (tmp_path / "code").glob("*.h")
             for p in bench.read_ports(h.read_text())}
    for given, last in (("h0", "yh"), ("c0", "yc")):
        if given in ports:
            assert ports[given].scale == ports[last].scale, header
            assert ports[given].zero == ports[last].zero == 0


@pytest.mark.parametrize("kind,attributes", KINDS)
@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_objects(tmp_path, kind, attributes, direction):
    model, feeds = layer(kind, 5, 2, 7, 9, states=True, direction=direction,
                         **attributes)
    name_outputs(model, ["y", "yh"] + (["yc"] if kind == "LSTM" else []))
    check_object(tmp_path, model, feeds)


@pytest.mark.parametrize("keep", [["yh"], ["y", "yh"], ["yc"], ["yh", "yc"]])
@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_last_states(tmp_path, keep, direction):
    model, feeds = layer("LSTM", 6, 2, 4, 5, direction=direction)
    name_outputs(model, keep)
    assert measure_c(tmp_path, model, feeds) > 20


@pytest.mark.parametrize("kind,attributes", KINDS)
def test_batch_first(tmp_path, kind, attributes):
    """As exporters write it: a Transpose in front, Transpose and Reshape behind."""
    model, feeds = layer(kind, 6, 2, 4, 5, direction="bidirectional",
                         **attributes)
    node = model.graph.node[0]
    node.input[0], node.output[0] = "steps", "stacked"
    model.graph.initializer.append(
        numpy_helper.from_array(np.array([2, 6, 10]), "shape"))
    model.graph.node.insert(0, helper.make_node("Transpose", ["x"], ["steps"],
                                                perm=[1, 0, 2]))
    model.graph.node.extend([
        helper.make_node("Transpose", ["stacked"], ["t"], perm=[2, 0, 1, 3]),
        helper.make_node("Reshape", ["t", "shape"], ["y"])])
    for value in model.graph.input:
        if value.name == "x":
            value.CopyFrom(onnx_files.value("x", (2, 6, 4)))
    for i in range(1, len(node.output)):
        node.output[i] = ""
    model.graph.ClearField("output")
    model.graph.output.append(
        helper.make_tensor_value_info("y", TensorProto.FLOAT, None))
    feeds["x"] = np.zeros((2, 6, 4), np.float32)
    assert measure_c(tmp_path, model, feeds) > 28


@pytest.mark.parametrize("kind,attributes,reason", [
    ("LSTM", dict(peepholes=True), "peepholes"),
    ("LSTM", dict(lengths=[5, 1, 3]), "sequences of different lengths"),
    ("GRU", dict(clip=0.4), r"gates with limits \('clip'\)"),
    ("RNN", dict(activations=["Relu"]), "sigmoid and tanh"),
])
def test_refused(tmp_path, kind, attributes, reason):
    model, feeds = layer(kind, 5, 3, 4, 6, **attributes)
    if "lengths" in attributes:
        lengths = numpy_helper.from_array(feeds.pop("n"), "n")
        model.graph.initializer.append(lengths)
        del model.graph.input[-1]
    name_outputs(model, ["y"])
    done = compile_model(tmp_path, model, feeds, "--emit=c", "-o",
                         f"{tmp_path}/code/")
    assert done.returncode == 3, done.stdout
    assert re.search(f"'layer.*{reason}", done.stdout), done.stdout
