# SPDX-License-Identifier: Apache-2.0
"""LSTM, GRU and RNN with every attribute, against the operators' text in NumPy
and against ONNX Runtime; interpreter and machine code have the same bits."""
import itertools

import numpy as np
import pytest

pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper

import onnx_files
import qopt

F32 = TensorProto.FLOAT
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def layer(kind, steps, batch, size, hidden, direction="forward", layout=0,
          lengths=None, states=False, peepholes=False, bias=True, seed=0,
          opset=14, **attributes):
    """A model of one node, its inputs and its feeds."""
    rng = np.random.default_rng(seed)
    rows, ways = GATES[kind] * hidden, 2 if direction == "bidirectional" else 1
    weights = {"w": (ways, rows, size), "r": (ways, rows, hidden)}
    names = ["x", "w", "r", "", "", "", "", ""]
    if bias:
        weights["b"], names[3] = (ways, 2 * rows), "b"
    if peepholes:
        weights["p"], names[7] = (ways, 3 * hidden), "p"
    shape = (ways, batch, hidden) if not layout else (batch, ways, hidden)
    feeds = {"x": rng.normal(size=(batch, steps, size) if layout
                             else (steps, batch, size))}
    if states:
        feeds["h0"], names[5] = rng.normal(size=shape), "h0"
        if kind == "LSTM":
            feeds["c0"], names[6] = rng.normal(size=shape), "c0"
    feeds = {k: v.astype(np.float32) for k, v in feeds.items()}
    if lengths is not None:
        feeds["n"], names[4] = np.array(lengths, np.int32), "n"
    while not names[-1]:
        names.pop()
    outputs = ["y", "yh", "yc"][:3 if kind == "LSTM" else 2]
    node = helper.make_node(kind, names, outputs, name="layer",
                            hidden_size=hidden, direction=direction,
                            layout=layout, **attributes)
    initializers = [
        numpy_helper.from_array((rng.normal(size=s) / np.sqrt(s[-1])).astype(
            np.float32), k) for k, s in weights.items()]
    inputs = [onnx_files.value(k, v.shape, TensorProto.INT32 if k == "n" else F32)
              for k, v in feeds.items()]
    model = onnx_files.model_of([node], inputs,
                                [onnx_files.value(o, None) for o in outputs],
                                initializers, opset=opset)
    return model, feeds


def run(folder, model, feeds):
    return onnx_files.run(folder, model, list(feeds.values()))


def check(folder, model, feeds, tolerance=1e-5):
    ort = pytest.importorskip("onnxruntime")
    model.graph.ClearField("output")
    for name in [o for o in model.graph.node[-1].output if o]:
        model.graph.output.append(helper.make_tensor_value_info(name, F32, None))
    session = ort.InferenceSession(model.SerializeToString(),
                                   providers=["CPUExecutionProvider"])
    expected = session.run(None, feeds)
    for got, want in zip(run(folder, model, feeds), expected):
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("shape", [(5, 3, 4, 8), (1, 1, 2, 3), (17, 1, 3, 16),
                                   (6, 2, 5, 150)])
def test_directions(tmp_path, kind, direction, shape):
    check(tmp_path, *layer(kind, *shape, direction=direction, states=True))


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
def test_lengths(tmp_path, kind, direction):
    check(tmp_path, *layer(kind, 5, 4, 3, 8, direction=direction, states=True,
                           lengths=[5, 1, 3, 2]))


@pytest.mark.parametrize("kind,attributes", [
    ("LSTM", dict(peepholes=True)),
    ("LSTM", dict(peepholes=True, clip=0.3)),
    ("LSTM", dict(input_forget=1)),
    ("LSTM", dict(activations=["HardSigmoid", "Softsign", "ScaledTanh"],
                  activation_alpha=[0.3, 1.5], activation_beta=[0.4, 0.7])),
    ("GRU", dict(linear_before_reset=1)),
    ("GRU", dict(linear_before_reset=1, bias=False)),
    ("GRU", dict(clip=0.4)),
    ("GRU", dict(activations=["Sigmoid", "LeakyRelu"], activation_alpha=[0.1])),
    ("RNN", dict(activations=["Relu"])),
    ("RNN", dict(activations=["Affine"], activation_alpha=[0.5],
                 activation_beta=[0.1])),
    ("RNN", dict(activations=["Elu"], activation_alpha=[0.7])),
    ("RNN", dict(activations=["Softplus"])),
    ("RNN", dict(activations=["Tanh", "Sigmoid"], direction="bidirectional")),
])
def test_attributes(tmp_path, kind, attributes):
    check(tmp_path, *layer(kind, 6, 2, 5, 7, states=True, **attributes))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_batch_first(tmp_path):
    """ONNX Runtime has no layout 1; the text transposes X, Y and states."""
    for kind in GATES:
        model, feeds = layer(kind, 4, 3, 5, 6, layout=1, states=True,
                             direction="bidirectional")
        got = run(tmp_path, model, feeds)
        node = model.graph.node[0]
        for attribute in node.attribute:
            if attribute.name == "layout":
                attribute.i = 0
        other = {k: np.ascontiguousarray(v.swapaxes(0, 1))
                 for k, v in feeds.items()}
        for value in model.graph.input:
            shape = value.type.tensor_type.shape.dim
            shape[0].dim_value, shape[1].dim_value = (shape[1].dim_value,
                                                      shape[0].dim_value)
        y, *states = run(tmp_path, model, other)
        assert np.array_equal(got[0], y.transpose(2, 0, 1, 3))
        for a, b in zip(got[1:], states):
            assert np.array_equal(a, b.swapaxes(0, 1))


def test_states_alone(tmp_path):
    """Y is left out: nothing is stacked."""
    model, feeds = layer("LSTM", 5, 2, 3, 4)
    whole = run(tmp_path, model, feeds)
    model.graph.node[0].output[0] = ""
    del model.graph.output[0]
    last = run(tmp_path, model, feeds)
    assert np.array_equal(last[0], whole[1])
    assert np.array_equal(last[1], whole[2])


def test_computed_weights(tmp_path):
    """Weights that are inputs: captures of the loop, no kernels."""
    model, feeds = layer("GRU", 4, 2, 3, 5, states=True)
    for tensor in model.graph.initializer:
        feeds[tensor.name] = numpy_helper.to_array(tensor).copy()
        model.graph.input.append(onnx_files.value(tensor.name, tensor.dims))
    model.graph.ClearField("initializer")
    check(tmp_path, model, feeds)


def test_reverse_sequence(tmp_path):
    rng = np.random.default_rng(1)
    for time, steps, batch in itertools.product((0, 1), (1, 4), (1, 3)):
        shape = (steps, batch, 2) if time == 0 else (batch, steps, 2)
        x = rng.normal(size=shape).astype(np.float32)
        n = rng.integers(1, steps + 1, batch)
        node = helper.make_node("ReverseSequence", ["x", "n"], ["y"],
                                time_axis=time, batch_axis=1 - time)
        model = onnx_files.model_of(
            [node], [onnx_files.value("x", shape),
                     onnx_files.value("n", (batch,), TensorProto.INT64)],
            [onnx_files.value("y", shape)])
        got, = onnx_files.run(tmp_path, model, [x, n])
        want = x.copy().swapaxes(0, time)  # steps first
        for i, length in enumerate(n):
            want[:length, i] = want[:length, i][::-1]
        assert np.array_equal(got, want.swapaxes(0, time))


@pytest.mark.parametrize("change,message", [
    (dict(direction="sideways"), "forward, reverse, bidirectional"),
    (dict(activations=["Tanh", "Tanh"]), "expects 1 activations, got 2"),
    (dict(activations=["Cosine"]), "activation 'Cosine' is not supported"),
    (dict(clip=-1.0), "expects a 'clip' that is not negative"),
])
def test_refused(tmp_path, change, message):
    model, feeds = layer("RNN", 2, 1, 2, 2, **change)
    with pytest.raises(qopt.Error, match=message):
        onnx_files.load(tmp_path, model)


def test_refused_shapes(tmp_path):
    model, feeds = layer("RNN", 2, 1, 2, 2, states=True)
    model.graph.input[1].type.tensor_type.shape.dim[2].dim_value = 3
    with pytest.raises(qopt.Error, match="expects input 5 of shape 1x1x2, got "
                                         "1x1x3"):
        onnx_files.load(tmp_path, model)


@pytest.mark.parametrize("scheme", ["w8a8", "w8a8-dyn"])
@pytest.mark.parametrize("kind", GATES)
def test_quantized(tmp_path, kind, scheme):
    """Both products are rounded, the state is not; calibration sees all steps."""
    model, feeds = layer(kind, 12, 2, 16, 32, direction="bidirectional",
                         linear_before_reset=1) if kind == "GRU" else layer(
        kind, 12, 2, 16, 32, direction="bidirectional")
    loaded = onnx_files.load(tmp_path, model)
    samples = np.random.default_rng(3).normal(size=(8, 12, 2, 16)).astype(
        np.float32)
    data = {"data": [{"x": x} for x in samples]} if scheme == "w8a8" else {}
    quantized = qopt.quantize(loaded, scheme=scheme, **data)
    text = quantized.to_mlir()
    assert text.count("qg.loop") == 2
    products = [line for line in text.splitlines() if "matmul" in line]
    assert len(products) == 4 and all("!qg.q<si8" in line for line in products)
    got = onnx_files.run_model(quantized, list(feeds.values()))
    exact = onnx_files.run_model(loaded, list(feeds.values()))
    for a, b in zip(got, exact):
        assert 10 * np.log10((b**2).sum() / ((a - b) ** 2).sum()) > 25


@pytest.mark.parametrize("scheme", ["w8a8", "w8a8-dyn"])
def test_two_products_in_a_body(tmp_path, scheme):
    """Without linear_before_reset the candidate multiplies a state of its own:
    two tensors of one loop are observed, and the layer gives them as results."""
    model, feeds = layer("GRU", 7, 2, 5, 6, states=True)
    loaded = onnx_files.load(tmp_path, model)
    rng = np.random.default_rng(4)
    samples = [{k: rng.normal(size=v.shape).astype(np.float32)
                for k, v in feeds.items()} for _ in range(6)]
    data = {"data": samples} if scheme == "w8a8" else {}
    quantized = qopt.quantize(loaded, scheme=scheme, **data)
    text = quantized.to_mlir()
    products = [line for line in text.splitlines() if "matmul" in line]
    assert len(products) == 3 and all("!qg.q<si8" in line for line in products)
    got = onnx_files.run_model(quantized, list(feeds.values()))
    exact = onnx_files.run_model(loaded, list(feeds.values()))
    for a, b in zip(got, exact):
        assert 10 * np.log10((b**2).sum() / ((a - b) ** 2).sum()) > 25


def test_dynamic_quantize_lstm(tmp_path):
    """ONNX Runtime's operator of stored weights, within what rounding to bytes
    leaves: it rounds each step's state by itself, and so do we."""
    ort = pytest.importorskip("onnxruntime")
    rng = np.random.default_rng(0)
    steps, batch, size, hidden = 6, 2, 8, 16
    w = rng.integers(-127, 128, (1, size, 4 * hidden)).astype(np.int8)
    r = rng.integers(-127, 128, (1, hidden, 4 * hidden)).astype(np.int8)
    node = helper.make_node(
        "DynamicQuantizeLSTM",
        ["x", "w", "r", "b", "", "", "", "", "ws", "wz", "rs", "rz"],
        ["y", "yh", "yc"], hidden_size=hidden, domain="com.microsoft")
    constants = dict(
        w=w, r=r, b=rng.normal(size=(1, 8 * hidden)).astype(np.float32),
        ws=np.float32([0.004]), wz=np.int8([0]), rs=np.float32([0.003]),
        rz=np.int8([0]))
    model = onnx_files.model_of(
        [node], [onnx_files.value("x", (steps, batch, size))],
        [onnx_files.value(o, None) for o in ("y", "yh", "yc")],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
        domains=["com.microsoft"], opset=14)
    x = rng.normal(size=(steps, batch, size)).astype(np.float32)
    session = ort.InferenceSession(model.SerializeToString(),
                                   providers=["CPUExecutionProvider"])
    for a, b in zip(onnx_files.run(tmp_path, model, [x]),
                    session.run(None, {"x": x})):
        assert 10 * np.log10((b**2).sum() / ((a - b) ** 2).sum()) > 40
