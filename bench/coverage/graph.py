# SPDX-License-Identifier: Apache-2.0
"""Small ONNX networks with random weights, written in a line a layer."""
import tempfile
import zlib

import numpy as np
import onnx
from onnx import helper, numpy_helper

QONNX = "qonnx.custom_op.general"


def quantize_static(model, samples):
    """The file that ONNX Runtime's static quantizer writes (QDQ, u8s8, per
    channel, ranges of all samples)."""
    from onnxruntime import quantization as q

    class Reader(q.CalibrationDataReader):
        def __init__(self):
            count = len(next(iter(samples.values())))
            self.rows = iter([{n: a[i] for n, a in samples.items()}
                              for i in range(count)])

        def get_next(self):
            return next(self.rows, None)

    with tempfile.TemporaryDirectory() as scratch:
        names = [f"{scratch}/{step}.onnx" for step in ("a", "b", "c")]
        onnx.save(model, names[0])
        q.shape_inference.quant_pre_process(*names[:2],
                                            skip_symbolic_shape=True)
        q.quantize_static(*names[1:], Reader(), per_channel=True,
                          activation_type=q.QuantType.QUInt8,
                          weight_type=q.QuantType.QInt8)
        return onnx.load(names[2])


class Net:
    """One graph. Methods add a node and give the name of its result."""

    def __init__(self, name, opset=17):
        self.name = name
        self.opset = opset
        self.random = np.random.default_rng(zlib.crc32(name.encode()))
        self.nodes, self.weights, self.inputs, self.outputs = [], [], [], []
        self.ranges = {}
        self.qonnx = False
        self.static = False

    def input(self, shape, low=-1.0, high=1.0, dtype=np.float32, name="x"):
        """Samples are uniform numbers of [low, high)."""
        self.inputs.append((name, np.dtype(dtype), list(shape)))
        self.ranges[name] = (low, high)
        return name

    def constant(self, values, dtype=np.float32):
        name = f"c{len(self.weights)}"
        self.weights.append(
            numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def normal(self, *shape, scale=1.0, mean=0.0):
        values = self.random.normal(mean, scale, shape)
        return values.astype(np.float32)

    def op(self, kind, *inputs, outputs=1, domain="", **attributes):
        index = len(self.nodes)
        names = [f"{kind.lower()}_{index}_y{i or ''}" for i in range(outputs)]
        self.nodes.append(helper.make_node(
            kind, list(inputs), names, name=f"{kind.lower()}_{index}",
            domain=domain, **attributes))
        self.qonnx |= domain == QONNX
        return names[0] if outputs == 1 else names

    def conv(self, x, channels, into, kernel=3, pad=None, stride=1, group=1,
             rank=2, bias=True, weight=None, op="Conv", **attributes):
        size = [kernel] * rank
        pad = kernel // 2 if pad is None else pad
        first = (channels, into // group) if op == "ConvTranspose" else \
            (into, channels // group)
        scale = (2.0 / (channels // group * kernel ** rank)) ** 0.5
        w = weight or self.constant(self.normal(*first, *size, scale=scale))
        rest = [self.constant(self.normal(into, scale=0.1))] if bias else []
        return self.op(op, x, w, *rest, kernel_shape=size, pads=[pad] * 2 * rank,
                       strides=[stride] * rank, group=group, **attributes)

    def dense(self, x, channels, into, **attributes):
        w = self.constant(self.normal(channels, into,
                                      scale=(2.0 / channels) ** 0.5))
        return self.op("Gemm", x, w,
                       self.constant(self.normal(into, scale=0.1)),
                       **attributes)

    def norm(self, x, channels):
        """A batch normalization that folds nowhere but by its own numbers."""
        return self.op("BatchNormalization", x,
                       self.constant(self.random.uniform(0.5, 1.5, channels)),
                       self.constant(self.normal(channels, scale=0.2)),
                       self.constant(self.normal(channels, scale=0.2)),
                       self.constant(self.random.uniform(0.5, 1.5, channels)))

    def relu(self, x):
        return self.op("Relu", x)

    def flat(self, x):
        return self.op("Flatten", x)

    def qdq(self, x, scale, zero=0, dtype=np.int8):
        """A rounding as files with encodings write it."""
        s = self.constant(np.float32(scale))
        z = self.constant(zero, dtype)
        return self.op("DequantizeLinear",
                       self.op("QuantizeLinear", x, s, z), s, z)

    def stored(self, shape, scale, dtype=np.int8, zero=0, axis=None):
        """Weights stored as integers."""
        info = np.iinfo(dtype)
        values = self.random.integers(info.min, info.max, shape, dtype, True)
        scales = np.float32(scale)
        if axis is not None:
            scales = (scale * self.random.uniform(0.5, 1.5, shape[axis]))
            zero = np.full(shape[axis], zero)
        return self.op("DequantizeLinear", self.constant(values, dtype),
                       self.constant(scales), self.constant(zero, dtype),
                       **({} if axis is None else {"axis": axis}))

    def quant(self, x, scale, bits, zero=0, op="Quant", **attributes):
        """QONNX."""
        attributes = dict(dict(signed=1, narrow=0, rounding_mode="ROUND"),
                          **attributes)
        return self.op(op, x, self.constant(np.float32(scale)),
                       self.constant(np.float32(zero)),
                       self.constant(np.float32(bits)), domain=QONNX,
                       **attributes)

    def output(self, x):
        self.outputs.append(x)

    def model(self):
        if not self.static:
            return self.write()
        return quantize_static(self.write(), self.samples(16))

    def write(self):
        info = helper.make_tensor_value_info
        kinds = helper.np_dtype_to_tensor_dtype
        graph = helper.make_graph(
            self.nodes, "net",
            [info(n, kinds(t), s) for n, t, s in self.inputs],
            [helper.make_empty_tensor_value_info(n) for n in self.outputs],
            self.weights)
        opsets = [helper.make_opsetid("", self.opset)]
        if self.qonnx:
            opsets.append(helper.make_opsetid(QONNX, 1))
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)

    def samples(self, count, seed=0):
        random = np.random.default_rng(seed)
        arrays = {}
        for name, dtype, shape in self.inputs:
            low, high = self.ranges[name]
            values = random.uniform(low, high, [count, *shape])
            arrays[name] = (np.floor(values) if dtype.kind in "iu"
                            else values).astype(dtype)
        return arrays
