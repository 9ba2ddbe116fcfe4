# SPDX-License-Identifier: Apache-2.0
"""The Python package against the interpreter, ONNX Runtime and NumPy."""
import numpy as np
import onnx
import pytest
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

import qopt


def make_model(nodes, inputs, outputs, weights=()):
    """Inputs and outputs are (name, type, shape)."""
    graph = h.make_graph(
        nodes, "g", [h.make_tensor_value_info(*i) for i in inputs],
        [h.make_tensor_value_info(*o) for o in outputs],
        [numpy_helper.from_array(a, n) for n, a in weights])
    return h.make_model(graph, opset_imports=[h.make_opsetid("", 17)],
                        ir_version=9)


def classifier(seed=0):
    """Convolution, pool and a dense layer with random weights."""
    rng = np.random.default_rng(seed)
    weights = [
        ("w", rng.normal(size=(8, 1, 3, 3)).astype(np.float32) * 0.5),
        ("b", rng.normal(size=8).astype(np.float32) * 0.1),
        ("v", rng.normal(size=(8 * 14 * 14, 10)).astype(np.float32) * 0.05)]
    nodes = [h.make_node("Conv", ["x", "w", "b"], ["c"], pads=[1] * 4),
             h.make_node("Relu", ["c"], ["r"]),
             h.make_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2],
                         strides=[2, 2]),
             h.make_node("Flatten", ["p"], ["f"]),
             h.make_node("MatMul", ["f", "v"], ["y"])]
    return make_model(nodes, [("x", T.FLOAT, (1, 1, 28, 28))],
                      [("y", T.FLOAT, (1, 10))], weights)


def images(count, seed=1):
    rng = np.random.default_rng(seed)
    return [rng.random((1, 1, 28, 28), dtype=np.float32) for _ in range(count)]


@pytest.fixture(scope="module")
def model():
    return qopt.load(classifier())


def test_interface(model):
    assert model.inputs == [("x", np.dtype("float32"), (1, 1, 28, 28))]
    assert model.outputs == [("y", np.dtype("float32"), (1, 10))]
    assert "qg.conv" in model.to_mlir()


def test_compiled_equals_reference_and_onnxruntime(model):
    ort = pytest.importorskip("onnxruntime")
    session = ort.InferenceSession(classifier().SerializeToString(),
                                   providers=["CPUExecutionProvider"])
    program, reference = qopt.compile(model), model.reference()
    for x in images(3):
        y = program(x)
        assert y.tobytes() == reference(x).tobytes()
        np.testing.assert_allclose(y, session.run(None, {"x": x})[0],
                                   rtol=1e-4, atol=1e-5)


def test_threads_do_not_change_bits(model):
    x = images(1)[0]
    assert qopt.compile(model, threads=1)(x).tobytes() == \
        qopt.compile(model, threads=2)(x).tobytes()


def test_ways_to_pass_arrays(model):
    program, x = qopt.compile(model), images(1)[0]
    y = program(x)
    assert np.array_equal(program(x=x), y)
    assert np.array_equal(program({"x": x}), y)
    assert np.array_equal(program.run(x)["y"], y)
    assert np.array_equal(program.run_list([x])[0], y)
    # Not contiguous, but the same values.
    strided = np.zeros((1, 1, 28, 56), np.float32)
    strided[..., ::2] = x
    assert np.array_equal(program(strided[..., ::2]), y)


def test_load_takes_files_and_bytes(tmp_path, model):
    path = tmp_path / "m.onnx"
    path.write_bytes(classifier().SerializeToString())
    x = images(1)[0]
    want = model.reference()(x)
    for source in (path, str(path), path.read_bytes()):
        assert np.array_equal(qopt.load(source).reference()(x), want)


@pytest.mark.parametrize("dtype,code", [("float16", T.FLOAT16),
                                        ("bfloat16", T.BFLOAT16)])
def test_half_floats(dtype, code):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    dtype = np.dtype(getattr(ml_dtypes, dtype, dtype))
    source = make_model([h.make_node("Add", ["a", "b"], ["c"])],
                        [("a", code, (4,)), ("b", code, (4,))],
                        [("c", code, (4,))])
    a = np.array([1, 2.5, -3, 1e-3]).astype(dtype)
    b = np.array([0.5, 0.25, 3, 1]).astype(dtype)
    c = qopt.compile(qopt.load(source))(a, b)
    assert c.dtype == dtype
    assert np.array_equal(c.astype(np.float32), (a + b).astype(np.float32))


def test_scalars_and_integers():
    source = make_model([h.make_node("Add", ["a", "b"], ["c"])],
                        [("a", T.INT64, ()), ("b", T.INT64, ())],
                        [("c", T.INT64, ())])
    c = qopt.compile(qopt.load(source))(np.int64(2), np.array(-5))
    assert c.shape == () and c.dtype == np.int64 and c == -3


def test_symbolic_dimensions():
    source = make_model([h.make_node("Relu", ["x"], ["y"])],
                        [("x", T.FLOAT, ("n", 3))], [("y", T.FLOAT, ("n", 3))])
    with pytest.raises(qopt.Error, match="n"):
        qopt.load(source)
    assert qopt.load(source, dims={"n": 2}).inputs[0][2] == (2, 3)
    assert qopt.load(source, shapes={"x": (5, 3)}).inputs[0][2] == (5, 3)


def test_constants_become_part_of_the_model():
    source = make_model([h.make_node("Reshape", ["x", "s"], ["y"])],
                        [("x", T.FLOAT, (6,)), ("s", T.INT64, (2,))],
                        [("y", T.FLOAT, None)])
    with pytest.raises(qopt.UnsupportedError):
        qopt.load(source)
    model = qopt.load(source, constants={"s": np.array([2, 3])})
    assert [n for n, _, _ in model.inputs] == ["x"]
    y = qopt.compile(model)(np.arange(6, dtype=np.float32))
    assert y.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_missing_file_is_a_model_error():
    with pytest.raises(qopt.ModelError, match="nowhere.onnx") as info:
        qopt.load("nowhere.onnx")
    assert info.value.exit_code == 4
    assert info.value.diagnostics[0] == info.value.message


def test_damaged_model_is_a_model_error():
    with pytest.raises(qopt.ModelError):
        qopt.load(classifier().SerializeToString()[:1000])


def test_every_unsupported_node_is_named():
    source = make_model([h.make_node("Frobnicate", ["x"], ["a"], name="one"),
                         h.make_node("Multinomial", ["a"], ["y"], name="two")],
                        [("x", T.FLOAT, (4,))], [("y", T.FLOAT, None)])
    with pytest.raises(qopt.UnsupportedError) as info:
        qopt.load(source)
    assert info.value.exit_code == 3
    assert any("Frobnicate" in line for line in info.value.nodes)
    assert any("Multinomial" in line for line in info.value.nodes)


@pytest.mark.parametrize("arrays,message", [
    ([np.zeros((1, 1, 28, 27), np.float32)], "expects shape"),
    ([np.zeros((1, 1, 28, 28), np.float64)], "expects f32"),
    ([], "expects 1 inputs"),
    ([np.array(["text"])], "expects shape")])
def test_wrong_arrays_are_data_errors(model, arrays, message):
    with pytest.raises(qopt.DataError, match=message) as info:
        model.reference().run_list(*arrays)
    assert info.value.exit_code == 5


def test_unknown_scheme_is_a_usage_error(model):
    with pytest.raises(qopt.UsageError) as info:
        qopt.quantize(model, scheme="w7a99")
    assert info.value.exit_code == 2


def test_no_samples_is_a_data_error(model):
    with pytest.raises(qopt.DataError):
        qopt.calibrate(model, [])
    with pytest.raises(qopt.DataError):
        qopt.Calibrator(model).finish()


def test_calibration_in_parts_equals_the_whole(model):
    samples = images(6)
    whole = qopt.calibrate(model, samples)
    parts = qopt.Calibrator(model).feed(samples[:2]).feed(samples[2:]).finish()
    assert parts.samples == whole.samples == 6
    assert parts.to_json() == whole.to_json()
    assert qopt.Profile.from_json(whole.to_json()).to_json() == whole.to_json()


def test_exceptions_of_the_data_pass_through(model):
    def samples():
        yield images(1)[0]
        raise KeyError("the camera broke")
    with pytest.raises(KeyError, match="the camera broke"):
        qopt.calibrate(model, samples())


def test_quantized_model_is_close_and_exact(model):
    samples = images(16)
    quantized = qopt.quantize(model, qopt.calibrate(model, samples), "w8a8")
    program, reference = qopt.compile(quantized), quantized.reference()
    exact, noise, power = model.reference(), 0.0, 0.0
    for x in images(8, seed=2):
        y, want = program(x), exact(x)
        assert y.tobytes() == reference(x).tobytes()
        noise += float(np.sum((y - want) ** 2))
        power += float(np.sum(want ** 2))
    assert 0 < noise < 1e-3 * power  # 30 dB


def test_evaluate_counts_hits(model):
    samples = images(5)
    program = qopt.compile(model)
    labels = [int(np.argmax(program(x))) for x in samples]
    assert qopt.evaluate(program, samples, labels) == 1.0
    labels[0] = (labels[0] + 1) % 10
    assert qopt.evaluate(program, samples, labels) == 0.8


def test_save_writes_an_object_and_a_header(tmp_path, model):
    qopt.compile(model, symbol="net").save(tmp_path / "net")
    assert (tmp_path / "net.o").read_bytes()[:4] == b"\x7fELF"
    assert "net_run" in (tmp_path / "net.h").read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.h", "net.o"]


def test_bytes_are_called_bytes():
    for wrong in (b"", b"this is no model"):
        with pytest.raises(qopt.ModelError, match="'<bytes>'"):
            qopt.load(wrong)
    model = make_model([h.make_node("MatMulBnb4", ["x"], ["y"])],
                       [("x", T.FLOAT, (2, 2))], [("y", T.FLOAT, (2, 2))])
    with pytest.raises(qopt.UnsupportedError, match="^'<bytes>': .*MatMulBnb4"):
        qopt.load(memoryview(model.SerializeToString()))


def test_bytes_have_no_external_data(tmp_path, monkeypatch):
    """Nor do they read files of the current folder."""
    monkeypatch.chdir(tmp_path)
    np.ones(4, np.float32).tofile("w.bin")
    weight = h.make_tensor("w", T.FLOAT, [4], [1, 1, 1, 1])
    del weight.float_data[:]
    weight.data_location = T.EXTERNAL
    entry = weight.external_data.add()
    entry.key, entry.value = "location", "w.bin"
    model = make_model([h.make_node("Add", ["x", "w"], ["y"])],
                       [("x", T.FLOAT, (4,))], [("y", T.FLOAT, (4,))])
    model.graph.initializer.append(weight)
    with pytest.raises(qopt.ModelError, match="in a file beside 'w.bin'"):
        qopt.load(model)
    onnx.save(model, "model.onnx")
    assert qopt.load("model.onnx").inputs[0][0] == "x"


def test_command(capfd):
    from qopt import _qopt
    assert _qopt.run_command(["version"]) == 0
    assert "qopt" in capfd.readouterr().out
    assert _qopt.run_command(["run", "nowhere.onnx"]) == 4
    assert "error[QOPT0401]: 'nowhere.onnx'" in capfd.readouterr().err
