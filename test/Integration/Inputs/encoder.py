#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a transformer's encoder with random weights, and data for it.

    encoder.py BLOCKS pre|post MODEL.onnx DATA.npz [SAMPLES]

Blocks are attention (four heads) and two layers with Gelu, each around a
residual connection with its normalization in front (pre) or behind (post). The
second block's scores and values are larger by far than the first's: ranges of
one block are wrong for the next.
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LENGTH, WIDTH, HEADS = 8, 32, 4


class Encoder:
    def __init__(self):
        self.random = np.random.default_rng(7)
        self.nodes, self.constants, self.count = [], [], 0

    def constant(self, array):
        self.count += 1
        name = f"c{self.count}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def add(self, op, *inputs, **attributes):
        self.count += 1
        name = f"{op.lower()}{self.count}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name,
                                           **attributes))
        return name

    def linear(self, x, inputs, outputs, scale):
        weights = self.random.standard_normal((inputs, outputs)) * scale
        bias = self.random.standard_normal(outputs) * 0.02
        y = self.add("MatMul", x, self.constant(weights.astype(np.float32)))
        return self.add("Add", y, self.constant(bias.astype(np.float32)))

    def normalize(self, x):
        return self.add("LayerNormalization", x,
                        self.constant(np.ones(WIDTH, np.float32)),
                        self.constant(np.zeros(WIDTH, np.float32)), axis=-1)

    def split_heads(self, x, perm):
        shape = np.array([1, LENGTH, HEADS, WIDTH // HEADS])
        return self.add("Transpose",
                        self.add("Reshape", x, self.constant(shape)), perm=perm)

    def attend(self, x, score, value):
        q = self.split_heads(self.linear(x, WIDTH, WIDTH, score), [0, 2, 1, 3])
        k = self.split_heads(self.linear(x, WIDTH, WIDTH, score), [0, 2, 3, 1])
        v = self.split_heads(self.linear(x, WIDTH, WIDTH, value), [0, 2, 1, 3])
        scale = self.constant(np.float32((WIDTH // HEADS) ** -0.5))
        rows = self.add("Softmax", self.add("Mul", self.add("MatMul", q, k),
                                            scale), axis=-1)
        mixed = self.add("Transpose", self.add("MatMul", rows, v),
                         perm=[0, 2, 1, 3])
        mixed = self.add("Reshape", mixed,
                         self.constant(np.array([1, LENGTH, WIDTH])))
        return self.linear(mixed, WIDTH, WIDTH, 0.1 / value)

    def feed_forward(self, x):
        wide = self.linear(x, WIDTH, 2 * WIDTH, 0.15)
        # Gelu as exporters write it.
        half = self.add("Div", wide, self.constant(np.float32(2 ** 0.5)))
        half = self.add("Add", self.add("Erf", half),
                        self.constant(np.float32(1)))
        wide = self.add("Mul", self.add("Mul", wide, half),
                        self.constant(np.float32(0.5)))
        return self.linear(wide, 2 * WIDTH, WIDTH, 0.1)

    def add_block(self, x, index, is_pre):
        score, value = [(0.05, 0.1), (0.3, 6.0)][index % 2]
        for layer in (lambda y: self.attend(y, score, value),
                      self.feed_forward):
            if is_pre:
                x = self.add("Add", x, layer(self.normalize(x)))
            else:
                x = self.normalize(self.add("Add", x, layer(x)))
        return x


def main():
    blocks, norm, path, data = int(sys.argv[1]), *sys.argv[2:5]
    samples = int(sys.argv[5]) if len(sys.argv) > 5 else 16
    encoder = Encoder()
    x = "x"
    for index in range(blocks):
        x = encoder.add_block(x, index, norm == "pre")
    encoder.nodes.append(helper.make_node("Identity", [x], ["y"], name="y"))
    shape = [1, LENGTH, WIDTH]
    graph = helper.make_graph(
        encoder.nodes, "encoder",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        encoder.constants)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    np.savez(data, x=encoder.random.standard_normal(
        [samples] + shape).astype(np.float32))


if __name__ == "__main__":
    main()
