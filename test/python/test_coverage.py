# SPDX-License-Identifier: Apache-2.0
"""Every network of bench/coverage as plain C and as an FPGA project: taken, and
right by what the header of the C says, or refused for a reason that is known
here."""
import importlib.util
import os
import pathlib
from types import SimpleNamespace

import pytest

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench" / "coverage.py"
spec = importlib.util.spec_from_file_location("bench_coverage", BENCH)
bench = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench)

REFUSED = {
    "c": {"ends/sorted-top-3": "floats have no form",
          "ends/sorted-top-1": "floats have no form",
          "ends/sorted-bottom-10": "floats have no form"},
    "hls": {"ends/sorted-top-3": "qg.top_k",
            "ends/sorted-top-1": "qg.top_k",
            "ends/sorted-bottom-10": "qg.top_k",
            "whole/gru-keyword": "fxp.recurrent",
            "whole/lstm-sequence": "fxp.recurrent",
            "whole/lstm-two-layers": "fxp.recurrent",
            "whole/bidirectional-gru": "fxp.recurrent"}}


# The networks of others (`outside/`, `static/`) are measured by the bench alone:
# they are whole ones, of which each takes seconds.
@pytest.mark.parametrize("name", [n for n in bench.NETWORKS if
                                  not n.startswith(("outside/", "static/"))])
def test_network(tmp_path, name):
    build = pathlib.Path(os.environ.get("QOPT_BUILD", "build"))
    row = bench.cover(name, SimpleNamespace(
        qopt=(build / "bin" / "qopt").resolve(), work=tmp_path,
        targets=["c", "hls"], csim=False))
    for target, refused in REFUSED.items():
        if name in refused:
            assert bench.re.search(refused[name], row[target]), row[target]
            assert not row[target].startswith("wrong"), row[target]
        else:
            assert row[target].startswith("ok"), row[target]
