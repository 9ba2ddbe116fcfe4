# SPDX-License-Identifier: Apache-2.0
"""Is every product, convolution and table rounded, or named as float?

    nothing_silent.py FOLDER SCHEME FIRST COUNT

Random networks of one layer behind another: the op that makes what a layer
reads, its weights (constant, computed, stacked, stored in integers, in blocks)
and its bias are drawn. What `compile` says, the manifest and the graph must
agree; exit status 1 names a layer that they forget.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper

ROWS, WIDTH = 4, 16


class Network:
    def __init__(self, seed, stores):
        self.random = np.random.default_rng(seed)
        self.stores = stores
        self.nodes, self.constants, self.results = [], [], []
        self.layers, self.tables = [], []

    def add(self, op, inputs, **attributes):
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return name

    def constant(self, values, dtype=np.float32):
        name = f"c{len(self.constants)}"
        values = np.asarray(values, dtype)
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def normal(self, *shape):
        return self.constant(self.random.standard_normal(shape))

    def produce(self, x):
        """Something [ROWS, WIDTH] that is made of x in an odd way."""
        r = self.random
        kinds = {
            "plain": lambda: x,
            "table": self.gather,
            "maximum": lambda: self.add("ReduceMax", [self.add("Reshape", [x, self.constant([ROWS, 1, WIDTH], np.int64)]), self.constant([1], np.int64)], keepdims=0),
            "norm": lambda: self.add("LpNormalization", [x]),
            "triangle": lambda: self.add("Trilu", [x]),
            "softmax": lambda: self.add("Softmax", [x]),
            "mask": lambda: self.add("Where", ["m", x, self.constant(0.5)]),
            "power": lambda: self.add("Max", [x, "x"]),
            "sort": lambda: self.add("CumSum", [x, self.constant(1, np.int64)]),
            "half": lambda: self.add("Cast", [self.add("Cast", [x], to=T.FLOAT16)], to=T.FLOAT),
            "relu": lambda: self.add("Relu", [x]),
            "layernorm": lambda: self.add("LayerNormalization", [x, self.normal(WIDTH)]),
            "scatter": lambda: self.add("ScatterElements", [x, self.constant([[1]], np.int64), self.constant([[2.0]])], axis=1),
            "encoded": lambda: self.encode(x) if self.stores else x,
        }
        return kinds[r.choice(list(kinds))]()

    def gather(self):
        count = int(self.random.choice([7, 2000]))
        name = self.add("Gather", [self.normal(count, WIDTH), "i"])
        self.tables.append((name, count))
        return name

    def encode(self, x):
        parameters = [self.constant(0.05), self.constant(3, np.int8)]
        return self.add("DequantizeLinear", [self.add("QuantizeLinear", [x] + parameters)] + parameters)

    def weight(self, *shape):
        kind = self.random.choice(["float", "computed", "tensor", "channel", "rows", "block", "offset"])
        if kind == "computed" and len(shape) == 2:
            return self.add("Mul", [self.normal(*shape), self.add("ReduceMean", ["x"], keepdims=0)])
        if not self.stores or len(shape) != 2 or kind in ("float", "computed"):
            return self.normal(*shape)
        stored = self.constant(self.random.integers(-128, 128, shape), np.int8)
        scales = {"tensor": (), "channel": shape[1:], "offset": shape[1:], "rows": shape[:1], "block": (shape[0] // 8, shape[1])}[kind]
        inputs = [stored, self.constant(self.random.random(scales) * 0.02 + 0.01)]
        if kind == "offset":
            inputs.append(self.constant(self.random.integers(-9, 9, scales), np.int8))
        axis = {"rows": {"axis": 0}, "block": {"axis": 0, "block_size": 8}}.get(kind, {"axis": 1})
        return self.add("DequantizeLinear", inputs, **axis)

    def layer(self, x):
        reshape = lambda y, *s: self.add("Reshape", [y, self.constant(s, np.int64)])
        kind = self.random.choice(["matmul", "gemm", "conv", "both", "stack", "dynamic"])
        if kind == "gemm":
            bias = self.random.choice(["constant", "computed"])
            bias = self.normal(WIDTH) if bias == "constant" else self.add("ReduceSum", ["x", self.constant([0], np.int64)], keepdims=0)
            y = self.add("Gemm", [x, self.weight(WIDTH, WIDTH), bias])
        elif kind == "conv":
            y = self.add("Conv", [reshape(x, 1, ROWS, 4, 4), self.weight(ROWS, ROWS, 3, 3)], pads=[1] * 4)
        elif kind == "dynamic":
            y = self.add("Conv", [reshape(x, 1, ROWS, 4, 4), self.add("Mul", [self.normal(ROWS, ROWS, 1, 1), self.add("ReduceMean", ["x"], keepdims=0)])])
        elif kind == "both":
            y = self.add("MatMul", [x, reshape(self.add("Concat", [x] * 4, axis=0), WIDTH, WIDTH)])
        elif kind == "stack":
            y = self.add("MatMul", [reshape(x, 2, 2, WIDTH), self.normal(2, WIDTH, WIDTH)])
        else:
            y = self.add("MatMul", [x, self.weight(WIDTH, WIDTH)])
        self.layers.append(y)
        y = reshape(y, ROWS, WIDTH)
        self.results.append(y)
        return self.add("Tanh", [y])

    def model(self):
        inputs = [("x", T.FLOAT, [ROWS, WIDTH]), ("i", T.INT64, [ROWS]), ("m", T.BOOL, [ROWS, WIDTH])]
        info = helper.make_tensor_value_info
        graph = helper.make_graph(self.nodes, "g", [info(*i) for i in inputs], [info(r, T.FLOAT, [ROWS, WIDTH]) for r in self.results], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def compile_model(folder, scheme, network):
    onnx.save(network.model(), folder / "m.onnx")
    command = ["qopt", "compile", "m.onnx", "--scheme", scheme, "-o", "m", "--emit=object,ir:quantized", "--progress", "none"]
    if not scheme.endswith("-dyn") and scheme != "qdq":
        command += ["--data", "d.npz"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def find_silent(folder, network, log, scheme):
    """Names of layers that are float and not named, or named and not float."""
    manifest = json.loads((folder / "m.qopt" / "manifest.json").read_text())
    rows = manifest["report"]["layers"]
    said = " ".join(re.findall("^stays? float: (.*)$", log, re.M))
    silent = []
    for name in network.layers:
        own = [row for row in rows if row["name"] == name and row.get("macs")]
        isFloat = any(row["float"] for row in own)
        # A scheme that keeps the model multiplies what it stores with floats.
        asked = scheme != "qdq" or any(row.get("stays_float") for row in own)
        named = f"'{name}'" in said
        if not own or (isFloat and asked) != named or (scheme != "qdq" and isFloat and not all(row["reason"] for row in own)):
            silent.append(name)
        if scheme == "qdq" and isFloat and not named and "stored weights times floats" not in log:
            silent.append(name)
    graph = (folder / "m.quantized.mlir").read_text()
    for name, count in network.tables:
        if scheme != "qdq" and (f"'{name}'" not in said) and f"<{count}x{WIDTH}xf32>" in graph:
            silent.append(name)
    return silent


def main():
    folder, scheme, first, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    np.savez(folder / "d.npz", x=random.standard_normal((8, ROWS, WIDTH)).astype("f4"), i=random.integers(0, 7, (8, ROWS)), m=random.integers(0, 2, (8, ROWS, WIDTH)).astype(bool))
    bad = layers = 0
    for seed in range(first, first + count):
        network = Network(seed, stores=seed % 2 or scheme == "qdq")
        x = network.encode("x") if scheme == "qdq" else "x"
        for _ in range(4):
            x = network.layer(network.produce(x))
        code, log = compile_model(folder, scheme, network)
        silent = find_silent(folder, network, log, scheme) if code == 0 else []
        # A refusal is not silent; anything else is no answer.
        if code not in (0, 3):
            silent = [f"exit {code}"]
        layers += len(network.layers) + len(network.tables)
        if silent:
            bad += 1
            print(f"seed {seed}: {', '.join(silent)}\n{log}")
    print(f"{layers} layers and tables, {bad} networks with silent ones")
    return bad != 0


sys.exit(main())
