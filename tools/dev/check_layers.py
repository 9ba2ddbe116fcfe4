#!/usr/bin/env python3
"""Checks that no folder includes a folder above it.

The table is the one of docs/contributing/layers.md: a row may include what its
value names, and itself. Exit 1 and one line per offending include otherwise.
"""
import pathlib
import re
import sys

BELOW_PIPELINES = ["Support", "Numerics", "Dialect", "Machine", "Analysis",
                   "Execution", "Interpreter", "Frontend/ONNX", "Export/ONNX",
                   "Data", "Calibration", "Transforms", "Assignment",
                   "Conversion", "Target"]

LAYERS = {
    "Support": [],
    "Numerics": ["Support"],
    "Dialect/QG": ["Numerics", "Support"],
    "Dialect/FXP": ["Dialect/QG", "Numerics", "Support"],
    "Dialect/HLS": [],
    "Machine": ["Numerics", "Support"],
    "Analysis": ["Dialect", "Numerics", "Support"],
    "Execution": ["Dialect", "Support"],
    "Interpreter": ["Dialect", "Numerics", "Execution", "Support"],
    "Frontend/ONNX": ["Dialect", "Numerics", "Support"],
    "Export/ONNX": ["Analysis", "Dialect", "Numerics", "Support",
                    "Frontend/ONNX"],
    "Data": ["Support", "Frontend/ONNX"],
    "Calibration": ["Dialect", "Analysis", "Execution", "Numerics", "Support"],
    "Transforms": ["Dialect", "Analysis", "Execution", "Numerics", "Support"],
    "Assignment": ["Dialect", "Analysis", "Numerics", "Machine", "Execution",
                   "Calibration", "Support"],
    "Conversion": ["Dialect", "Analysis", "Numerics", "Support"],
    "Target": ["Support"],
    "Target/Memory": ["Target", "Support"],
    "Target/CPU": ["Target", "Conversion", "Dialect", "Machine", "Execution", "Numerics",
                   "Target/Memory", "Support"],
    "Target/EmbeddedC": ["Target", "Target/Memory", "Dialect", "Numerics",
                         "Support"],
    "Target/HLS": ["Target", "Conversion", "Dialect", "Numerics", "Support"],
    "Pipelines": [*BELOW_PIPELINES],
    "Planning": [*BELOW_PIPELINES, "Pipelines"],
    "Artifacts": [*BELOW_PIPELINES, "Pipelines"],
    "Report": [*BELOW_PIPELINES, "Pipelines", "Planning", "Artifacts"],
    "Driver": ["*"],
    "Runtime": [],
}


def layer_of(path):
    """The longest row name that starts `path` (relative to the qopt root)."""
    rows = [row for row in LAYERS if path == row or path.startswith(row + "/")]
    return max(rows, key=len, default=None)


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    offences = []
    for base in ("include/qopt", "lib"):
        for source in sorted((root / base).rglob("*")):
            if source.suffix not in {".h", ".cpp", ".td", ".c"}:
                continue
            relative = source.relative_to(root / base).as_posix()
            layer = layer_of(relative)
            if layer is None:
                if "/" in relative and not relative.startswith("qopt-rt"):
                    offences.append(f"{base}/{relative}: folder has no row in "
                                    "tools/dev/check_layers.py")
                continue
            allowed = LAYERS[layer] + [layer]
            if "*" in allowed:
                continue
            for number, line in enumerate(
                    source.read_text(errors="replace").splitlines(), 1):
                match = re.match(r'\s*#?include "qopt/([^"]+)"', line)
                if not match:
                    continue
                target = match.group(1)
                if not any(target.startswith(name + "/") for name in allowed):
                    offences.append(f"{base}/{relative}:{number}: {layer} may "
                                    f"not include {target}")
    for offence in offences:
        print(offence)
    print(f"layers: {len(offences)} offending includes")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
