# SPDX-License-Identifier: Apache-2.0
"""The model's outputs from the emitted files alone: what the manifest or the
report says of every array, NAME_host.h, and the C or the simulation."""
import importlib.util
import os
import pathlib

import onnx
import pytest

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench" / "interfaces.py"
spec = importlib.util.spec_from_file_location("bench_interfaces", BENCH)
bench = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench)

# One of each kind of end and beginning; bench/interfaces.py takes them all.
NAMES = ["ends/conv", "ends/flatten", "ends/classes-softmax",
         "ends/two-results-one-read-on", "begins/image-bytes-divided",
         "begins/mean-and-deviation", "ends/softmax-over-channels",
         "middle/clip-on-stored", "qonnx/dense-quant",
         "whole/half-pooled", "whole/half-softmax"]


@pytest.mark.parametrize("target", ["c", "hls"])
@pytest.mark.parametrize("name", NAMES)
def test_outputs_from_files(tmp_path, name, target):
    qopt = (pathlib.Path(os.environ.get("QOPT_BUILD", "build")) / "bin" /
            "qopt").resolve()
    net = bench.build(name)
    onnx.save(net.model(), tmp_path / "model.onnx")
    row = bench.try_route(target, qopt, tmp_path / "model.onnx",
                          net.samples(16), tmp_path / "out")
    assert row.startswith("ok: 0 of"), row
