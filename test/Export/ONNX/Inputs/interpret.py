"""Compares ONNX Runtime with qopt's interpreter on one module.

usage: interpret.py MODEL MODULE PREFIX
"""
import subprocess
import sys

import numpy
import onnx
import onnxruntime


def main():
    path, module, prefix = sys.argv[1:]
    onnx.checker.check_model(path, full_check=True)
    options = onnxruntime.SessionOptions()
    # Optimized sessions multiply by integer weights in another precision.
    options.graph_optimization_level = (
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
    session = onnxruntime.InferenceSession(path, options,
                                           providers=["CPUExecutionProvider"])
    generator = numpy.random.default_rng(7)
    feeds = {}
    command = ["qopt-translate", "--export-onnx", module,
               "--run-reference", prefix]
    for value in session.get_inputs():
        array = generator.uniform(-1, 1, value.shape).astype("f4")
        file = "%s.%s.npy" % (prefix, value.name)
        numpy.save(file, array)
        feeds[value.name] = array
        command += ["--input", "%s=%s" % (value.name, file)]
    subprocess.run(command, check=True)
    names = [o.name for o in session.get_outputs()]
    for i, expected in enumerate(session.run(names, feeds)):
        actual = numpy.load("%s%d.npy" % (prefix, i))
        assert actual.shape == expected.shape, (actual.shape, expected.shape)
        numpy.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6,
                                      err_msg="output " + names[i])


main()
