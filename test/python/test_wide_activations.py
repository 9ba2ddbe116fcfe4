# SPDX-License-Identifier: Apache-2.0
"""Activations of 9 to 16 bits as integers: the interpreter's bits in objects,
plain C and FPGA projects, within steps of ONNX Runtime's floats."""
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
import onnx
from onnx import TensorProto as T, helper as h, numpy_helper

BUILD = Path(os.environ.get("QOPT_BUILD", "build"))
QOPT = BUILD / "bin" / "qopt"
F32 = np.float32


class Net:
    """A QDQ network: every tensor between two layers is rounded to `kind`."""

    def __init__(self, shape, kind="int16", zero=0, seed=0, scale=4 / 32767):
        self.rng = np.random.default_rng(seed)
        self.kind, self.zero, self.shape = kind, zero, shape
        self.nodes, self.constants, self.names = [], {}, 0
        self.x = self.round("x", scale)

    def name(self):
        self.names += 1
        return f"t{self.names}"

    def constant(self, array):
        name = self.name()
        self.constants[name] = np.asarray(array)
        return name

    def op(self, kind, *inputs, **attributes):
        name = self.name()
        self.nodes.append(h.make_node(kind, list(inputs), [name],
                                      **attributes))
        return name

    def round(self, x, scale=4 / 32767, kind=None, zero=None):
        kind = kind or self.kind
        zero = self.zero if zero is None else zero
        parameters = [self.constant(F32(scale)),
                      self.constant(np.array(zero, kind))]
        return self.op("DequantizeLinear",
                       self.op("QuantizeLinear", x, *parameters), *parameters)

    def weight(self, shape, axis=0, gain=2.0):
        depth = int(np.prod(shape)) // shape[axis]
        scales = self.rng.uniform(0.5, 1.5, shape[axis])
        scales = (scales * gain / 127 / np.sqrt(depth)).astype(F32)
        values = self.rng.integers(-127, 128, shape).astype(np.int8)
        return self.op("DequantizeLinear", self.constant(values),
                       self.constant(scales), axis=axis)

    def bias(self, count):
        return self.constant((0.3 * self.rng.normal(size=count)).astype(F32))

    def conv(self, x, shape, **attributes):
        return self.op("Conv", x, self.weight(shape), self.bias(shape[0]),
                       **attributes)

    def save(self, path, *results):
        graph = h.make_graph(
            self.nodes, "g",
            [h.make_tensor_value_info("x", T.FLOAT, self.shape)],
            [h.make_empty_tensor_value_info(r) for r in results],
            [numpy_helper.from_array(v, k) for k, v in self.constants.items()])
        model = h.make_model(graph, opset_imports=[h.make_opsetid("", 21)],
                             ir_version=10)
        onnx.save(onnx.shape_inference.infer_shapes(model), path)


PADS = {"pads": [1, 1, 1, 1]}


def image(kind="int16", zero=0):
    """Convolution, relu, pool, depthwise, grouped, mean, dense."""
    net = Net((1, 3, 8, 8), kind, zero)
    x = net.round(net.op("Relu", net.conv(net.x, (12, 3, 3, 3), **PADS)))
    x = net.round(net.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]))
    x = net.round(net.conv(x, (12, 1, 3, 3), group=12, **PADS))
    x = net.round(net.conv(x, (20, 3, 1, 1), group=4))
    x = net.round(net.op("GlobalAveragePool", x))
    x = net.round(net.op("Flatten", x))
    x = net.op("Gemm", x, net.weight((10, 20)), net.bias(10), transB=1)
    return net, [net.round(x, 6 / 32767)]


def wide_sums(kind="int16", zero=0):
    """Rows whose sums leave 32 bits, and one channel more than pairs."""
    net = Net((3, 1500), kind, zero)
    weight = net.weight((1500, 7), axis=1, gain=4)
    x = net.op("Gemm", net.x, weight, net.bias(7))
    return net, [net.round(x, 8 / 32767)]


def elements():
    """Sums, differences, products, clamps, moves, concatenation, resize."""
    net = Net((1, 6, 4, 5))
    a = net.round(net.conv(net.x, (6, 6, 1, 1)), 5 / 32767)
    b = net.round(net.op("Add", a, net.x), 7 / 32767)
    c = net.round(net.op("Mul", a, b), 20 / 32767)
    d = net.round(net.op("Clip", net.op("Sub", b, a), net.constant(F32(-1)),
                         net.constant(F32(2.5))), 3 / 32767)
    e = net.op("Concat", b, d, axis=1)
    e = net.round(e, 7 / 32767)
    e = net.op("Slice", e, net.constant([1]), net.constant([12]),
               net.constant([1]), net.constant([2]))
    e = net.round(e, 7 / 32767)
    sizes = net.constant(np.array([1, 1, 2, 2], F32))
    f = net.round(net.op("Resize", c, "", sizes, mode="linear"), 20 / 32767)
    g = net.round(net.op("AveragePool", f, kernel_shape=[2, 2],
                         strides=[2, 2]), 20 / 32767)
    h_ = net.round(net.op("Transpose", g, perm=[0, 2, 3, 1]), 20 / 32767)
    k = net.round(net.op("Relu", net.op("Transpose", e, perm=[0, 2, 3, 1])),
                  7 / 32767)
    return net, [h_, k]


def functions():
    """Tables of 16 bits, and between 16 and 8."""
    net = Net((2, 9))
    x = net.op("Gemm", net.x, net.weight((9, 5), axis=1), net.bias(5))
    x = net.round(x)
    a = net.round(net.op("Sigmoid", x), 1 / 32768)
    b = net.round(net.op("Tanh", x), 1 / 32767)
    c = net.round(net.op("HardSwish", x), 4 / 32767)
    d = net.round(x, 4 / 127, "int8", 3)
    e = net.round(net.op("Tanh", d), 1 / 32767, "int16", 0)
    return net, [a, b, c, e]


def mixed():
    """Products of 16 bits rounded to bytes, and of bytes to 16 bits."""
    net = Net((1, 4, 6, 6))
    x = net.round(net.conv(net.x, (5, 4, 3, 3), **PADS), 4 / 127, "int8", -3)
    x = net.round(net.conv(x, (6, 5, 3, 3), strides=[2, 2]), 4 / 32767)
    y = net.round(net.conv(x, (3, 6, 1, 1)), 4 / 127, "uint8", 120)
    return net, [y, x]


CASES = {
    "image": image,
    "image-unsigned": lambda: image("uint16", 30001),
    "image-unsigned-no-zero": lambda: image("uint16", 0),
    "image-zero": lambda: image("int16", -1234),
    "wide-sums": wide_sums,
    "wide-sums-unsigned": lambda: wide_sums("uint16", 32768),
    "elements": elements,
    "functions": functions,
    "mixed": mixed,
}


def qopt(*arguments):
    done = subprocess.run([QOPT, *map(str, arguments)], capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(params=CASES, scope="module")
def model(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    net, results = CASES[request.param]()
    net.save(folder / "net.onnx", *results)
    return folder


def test_objects_give_the_bits_of_the_interpreter(model):
    options = ort.SessionOptions()
    options.graph_optimization_level = (
        ort.GraphOptimizationLevel.ORT_DISABLE_ALL)
    session = ort.InferenceSession(model / "net.onnx", options)
    (port,) = session.get_inputs()
    x = np.random.default_rng(7).normal(size=port.shape).astype(F32)
    expected = session.run(None, {port.name: x})
    np.save(model / "x.npy", x)
    qopt("compile", model / "net.onnx", "-q", "--requant", "fixed:31", "-o",
         model / "net")
    names = [o.name for o in session.get_outputs()]
    got = {}
    for flag in ([], ["--reference"]):
        qopt("run", model / "net", f"--input=x=@{model}/x.npy", *flag,
             *[f"--output={n}=@{model}/{n}.npy" for n in names])
        got[bool(flag)] = [np.load(model / f"{n}.npy") for n in names]
    for ours, reference, real in zip(got[False], got[True], expected):
        np.testing.assert_array_equal(ours, reference)
        # A few steps of 16 bits, or one of 8 bits on the way.
        hasBytes = "mixed" in str(model) or "functions" in str(model)
        assert np.ptp(real) > 0
        assert np.abs(ours - real).max() <= (0.035 if hasBytes else 0.003)


def test_c_gives_the_bits_of_the_interpreter(model):
    folder = model / "c" / "net"
    qopt("compile", model / "net.onnx", "-q", "--emit=c", "-o", folder)
    subprocess.run(["make", "-s", "-C", folder, "CFLAGS=-O1 -Werror"],
                   check=True, timeout=300)
    header = (folder / "net.h").read_text()
    port = re.search(r"input 0: 'x', (\w+)_t \[([\dx]+)\]", header)
    shape = [int(extent) for extent in port[2].split("x")]
    results = re.findall(r"output \d+: '(\w+)', (\w+)_t \[([\dx]+)\]", header)
    info = np.iinfo(port[1])
    rng = np.random.default_rng(3)
    for i in range(4):
        x = rng.integers(info.min, info.max, shape, port[1], True)
        if i == 3:
            x = np.full_like(x, info.min)
        np.save(model / "q.npy", x)
        (model / "in.bin").write_bytes(x.tobytes())
        subprocess.run([folder / "net", model / "in.bin", model / "out.bin"],
                       check=True, timeout=60)
        qopt("run", folder / "quantized.mlirbc", "--reference",
             f"--input=x=@{model}/q.npy",
             *[f"--output={name}=@{model}/{name}.npy"
               for name, _, _ in results])
        written = (model / "out.bin").read_bytes()
        for name, kind, _ in results:
            expected = np.load(model / f"{name}.npy")
            assert expected.dtype == np.dtype(kind)
            raw = expected.tobytes()
            assert written[:len(raw)] == raw, name
            written = written[len(raw):]
        assert not written


# What FPGA projects refuse, by name.
def test_fpga_projects_give_the_bits_of_the_interpreter(model):
    folder = model / "hls" / "net"
    qopt("compile", model / "net.onnx", "-q", "--emit=hls",
         "--target=xczu7ev", "-o", folder)
    done = subprocess.run(["make", "-C", folder, "csim",
                           "CXXFLAGS=-O0 -std=c++14 -w"], capture_output=True,
                          text=True, timeout=600)
    assert " 0 mismatches" in done.stdout, done.stdout + done.stderr
