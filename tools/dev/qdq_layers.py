#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How far is each layer of a QDQ model from ONNX Runtime's own integers?

Every QuantizeLinear output of the graph becomes an output of ONNX Runtime,
whose optimizations are off. The graph is then cut at these tensors: each piece
computes one of them (or an output of the model) from others. qopt compiles each
piece with `--scheme qdq` and gets the integers that ONNX Runtime had there, so
that steps do not add up. Printed: elements that differ and the largest step.

    qdq_layers.py MODEL ARRAY.npy [--samples N] [--max-step 1] [--equal 99.9]
                  [--same-class PERCENT] [--min-db DB]

ARRAY holds samples along its first dimension, as the model takes them. Exit
status 1 if a layer is off by more than --max-step, or if fewer than --equal
percent of all elements are equal, or if the whole model gives the same class
on too few samples or too little signal over its difference.
"""
import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime


def make_session(model):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = (
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                        providers=["CPUExecutionProvider"])


def find_quantized(graph):
    """Names of the activations that QuantizeLinear writes, in graph order."""
    constants = {tensor.name for tensor in graph.initializer}
    names = []
    for node in graph.node:
        if node.op_type == "Constant" or (node.input and all(
                name in constants for name in node.input if name)):
            constants.update(node.output)
        elif node.op_type == "QuantizeLinear":
            names.append(node.output[0])
    return names


def cut(model, target, borders, types):
    """The piece of a model that computes `target` from tensors at borders."""
    producers = {name: node for node in model.graph.node
                 for name in node.output}
    needed, inputs, pending, seen = set(), [], [target], set()
    graph_inputs = {value.name for value in model.graph.input}
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        if name != target and name in borders or name in graph_inputs:
            inputs.append(name)
        elif name in producers:
            needed.add(id(producers[name]))
            pending += [part for part in producers[name].input if part]
    nodes = [node for node in model.graph.node if id(node) in needed]
    graph = onnx.helper.make_graph(
        nodes, "piece", [types[name] for name in inputs], [types[target]],
        [t for t in model.graph.initializer if t.name in seen])
    return onnx.helper.make_model(graph, opset_imports=model.opset_import,
                                  ir_version=model.ir_version)


def run_qopt(qopt, model, inputs, folder):
    onnx.save(model, folder / "piece.onnx")
    commands = [[qopt, "compile", folder / "piece.onnx", "-o",
                 folder / "piece", "--scheme", "qdq", "-q"],
                [qopt, "run", folder / "piece", "--pre", "none", "-q", "-o",
                 f"@{folder}/out.npy"]]
    for i, (name, array) in enumerate(inputs.items()):
        np.save(folder / f"in{i}.npy", array)
        commands[1] += ["--input", f"{name}=@{folder}/in{i}.npy"]
    for command in commands:
        done = subprocess.run([str(part) for part in command], text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode:
            sys.exit(f"{command[1]} gave {done.returncode}:\n{done.stdout}")
    return np.load(folder / "out.npy")


def read_integers(model, samples):
    """Every border and output over all samples, with its ONNX type."""
    exposed = onnx.ModelProto()
    exposed.CopyFrom(model)
    known = onnx.shape_inference.infer_shapes(model).graph
    types = {value.name: value for value in
             [*known.value_info, *known.input, *known.output]}
    borders = find_quantized(model.graph)
    outputs = [value.name for value in model.graph.output]
    exposed.graph.output.extend(types[name] for name in borders
                                if name not in outputs)
    session = make_session(exposed)
    names = [value.name for value in session.get_outputs()]
    feed = model.graph.input[0].name
    runs = [session.run(names, {feed: sample}) for sample in samples]
    arrays = {name: np.concatenate([run[i] for run in runs])
              for i, name in enumerate(names)}
    arrays[feed] = np.concatenate(list(samples))
    return borders, outputs, types, arrays


def check_layers(options, model, data, folder):
    """(elements, equal elements, largest step) over all layers."""
    borders, _, types, arrays = data
    total = equal = largest = 0
    for target in borders:
        piece = cut(model, target, set(borders), types)
        got = run_qopt(options.qopt, piece,
                       {value.name: arrays[value.name]
                        for value in piece.graph.input}, folder)
        step = np.abs(got.reshape(arrays[target].shape).astype(int) -
                      arrays[target].astype(int))
        kinds = [node.op_type for node in piece.graph.node
                 if "Linear" not in node.op_type]
        if step.any() or options.all:
            print(f"{target} ({'+'.join(kinds) or 'input'}): "
                  f"{(step != 0).sum()} of {step.size} differ, largest step "
                  f"{step.max()}")
        total += step.size
        equal += int((step == 0).sum())
        largest = max(largest, int(step.max()))
    return total, equal, largest


def check_whole(options, model, data, folder):
    """True if the whole model is close enough."""
    _, outputs, _, arrays = data
    feed = model.graph.input[0].name
    expected = arrays[outputs[0]]
    got = run_qopt(options.qopt, model, {feed: arrays[feed]}, folder)
    got = got.reshape(expected.shape)
    same = 100 * np.mean(got.argmax(-1) == expected.argmax(-1))
    noise = np.square(got - expected).sum()
    decibels = 10 * np.log10(np.square(expected).sum() / noise) if noise else (
        float("inf"))
    print(f"whole model: same class {same:.1f} % of {len(expected)}, "
          f"{decibels:.1f} dB")
    return same >= options.same_class and decibels >= options.min_db


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("array")
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--max-step", type=int, default=1)
    parser.add_argument("--equal", type=float, default=99.9)
    parser.add_argument("--same-class", type=float, default=0)
    parser.add_argument("--min-db", type=float, default=-1000)
    parser.add_argument("--all", action="store_true",
                        help="print layers without a difference too")
    parser.add_argument("--qopt", default=os.environ.get("QOPT", "qopt"))
    options = parser.parse_args()
    model = onnx.load(options.model)
    samples = np.load(options.array)[:options.samples, None]
    data = read_integers(model, samples)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        total, equal, largest = check_layers(options, model, data, folder)
        percent = 100 * equal / total
        print(f"{len(data[0])} layers: {percent:.4f} % of {total} equal, "
              f"largest step {largest}")
        good = check_whole(options, model, data, folder)
    return int(largest > options.max_step or percent < options.equal or
               not good)


if __name__ == "__main__":
    sys.exit(main())
