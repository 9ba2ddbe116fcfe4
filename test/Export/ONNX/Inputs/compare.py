"""Runs two ONNX models on one random input and compares what they compute.

usage: compare.py REFERENCE CANDIDATE [name=1x3x8x8 ...]
Prints the transposes of the candidate and the largest difference relative to
the largest result; exits 1 if that is above 1e-5.
"""
import sys

import numpy
import onnx
import onnxruntime


def run(path, feeds):
    options = onnxruntime.SessionOptions()
    # The numbers of the model as written, not of fused kernels.
    options.graph_optimization_level = (
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
    session = onnxruntime.InferenceSession(path, options,
                                           providers=["CPUExecutionProvider"])
    return session.run([o.name for o in session.get_outputs()], feeds)


def main():
    reference, candidate, *bindings = sys.argv[1:]
    shapes = {}
    for binding in bindings:
        name, _, extents = binding.rpartition("=")
        shapes[name] = [int(extent) for extent in extents.split("x")]
    onnx.checker.check_model(candidate)
    generator = numpy.random.default_rng(7)
    feeds = {}
    model = onnx.load(candidate)
    for value in model.graph.input:
        shape = shapes.get(value.name) or [
            d.dim_value for d in value.type.tensor_type.shape.dim]
        feeds[value.name] = generator.uniform(-1, 1, shape).astype("f4")
    nodes = [n.op_type for n in model.graph.node]
    print("transposes:", nodes.count("Transpose"))
    worst = 0.0
    for a, b in zip(run(reference, feeds), run(candidate, feeds)):
        assert a.shape == b.shape, (a.shape, b.shape)
        largest = max(numpy.abs(a).max(), 1e-30)
        worst = max(worst, float(numpy.abs(a - b).max() / largest))
    print("difference: %.1e" % worst)
    return worst > 1e-5


sys.exit(main())
