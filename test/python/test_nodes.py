# SPDX-License-Identifier: Apache-2.0
"""The ONNX node tests through compiled code: none wrong, none failed, and
never fewer than tools/dev/node_tests.txt says."""
import os
import pathlib
import subprocess
import sys

import qopt

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_onnx_node_tests():
    package = pathlib.Path(qopt.__file__).parent
    environment = dict(os.environ)
    environment["PYTHONPATH"] = str(package.parent)
    run = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "dev" / "node_tests.py"),
         "--build", str(package.parent.parent)],
        env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    print(run.stdout)
