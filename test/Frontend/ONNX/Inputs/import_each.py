# SPDX-License-Identifier: Apache-2.0
"""Imports every model of a test file and prints what becomes of each.

    import_each.py TEST

A model starts with a line `#--- NAME [opset=N] [FLAGS OF qopt-translate]`; what
follows is ONNX's textual syntax (onnx.parser) of a graph, from its inputs on,
and perhaps functions. Lines that start with `#` are the test's own. Prints
`=== NAME`, then the module, or the exit status and the messages.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import onnx.parser

HEADER = '<ir_version: 10, opset_import: ["" : {}, "com.microsoft" : 1, ' \
         '"ai.onnx.ml" : 3, "local" : 1]>\ng '


def read_models(path):
    """[(name, opset, flags, text)] of a test file."""
    models = []
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith("#--- "):
            name, *flags = line[5:].split()
            opset = "21"
            if flags and flags[0].startswith("opset="):
                opset = flags.pop(0)[6:]
            models.append((name, opset, flags, []))
        elif models and not line.startswith("#"):
            models[-1][3].append(line)
    return [(n, o, f, "\n".join(lines)) for n, o, f, lines in models]


def main():
    models = read_models(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name, opset, flags, text in models:
            model = onnx.parser.parse_model(HEADER.format(opset) + text)
            onnx.save(model, "model.onnx")
            run = subprocess.run(
                ["qopt-translate", "--import-onnx", "model.onnx", *flags],
                capture_output=True, text=True)
            if run.returncode not in (0, 3, 4):
                sys.exit(f"{name}: exit {run.returncode}\n{run.stderr}")
            print(f"=== {name}", f"exit {run.returncode}" * bool(run.returncode))
            print(run.stdout + run.stderr, flush=True)


main()
