#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for the fuzz targets, out of the repository's own tests.

  test/fuzz/seeds.py OUT --build BUILD

Fills OUT/onnx, npz, plan, recipe, module, record and weights. Models are those
that Python's tests load: they run up to there and are then passed over. IR is
the text of lit tests, and the rest is what `qopt` writes for a small model.
"""
import argparse
import hashlib
import os
import pathlib
import re
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOST_BYTES = 1 << 14  # mutations of more take too long
NETWORK = ROOT / "test/Driver/Inputs/cnn.onnxtxt"


def keep(folder, data):
    data = data.encode() if isinstance(data, str) else bytes(data)
    if 0 < len(data) <= MOST_BYTES:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)


class Plugin:
    """What tests hand to `qopt.load` is kept; the rest of a test is not run."""

    def __init__(self, out):
        self.out = out

    def load(self, model, *_, **__):
        import pytest
        if hasattr(model, "SerializeToString"):
            model = model.SerializeToString()
        if isinstance(model, bytes):
            keep(self.out / "onnx", model)
        elif str(model).endswith(".onnx"):
            keep(self.out / "onnx", pathlib.Path(model).read_bytes())
        elif str(model).endswith(".mlir"):
            keep(self.out / "module", pathlib.Path(model).read_bytes())
        pytest.skip("kept as seed")


def from_python_tests(out, build):
    import pytest
    sys.path.insert(0, str(build / "python"))
    os.environ["QOPT_BUILD"] = str(build)
    import qopt
    plugin = Plugin(out)
    qopt.load = qopt.compile_onnx = plugin.load
    # Node tests are ONNX's own, and whole models are large.
    ignored = [f"--ignore={ROOT}/test/python/test_{name}.py"
               for name in ("nodes", "models", "package", "fuzz")]
    pytest.main(["-q", "-x", "--maxfail=1000", "-p", "no:cacheprovider",
                 str(ROOT / "test/python"), *ignored])


def split_file(text):
    """(name, text) of the parts that `split-file` would write."""
    parts = re.split(r"^(?:#|//)--- (\S+)\n", text, flags=re.M)
    return zip(parts[1::2], parts[2::2])


def from_lit_tests(out, build):
    for path in sorted((ROOT / "test").rglob("*")):
        if path.suffix not in {".mlir", ".test", ".onnxtxt", ".json"}:
            continue
        text = path.read_text(errors="replace")
        files = [(path.name, text), *split_file(text)]
        for name, part in files:
            if name.endswith(".mlir"):
                for module in re.split(r"^// -----.*\n", part, flags=re.M):
                    keep(out / "module", module)
            elif name.endswith(".onnxtxt"):
                source = out / "text.onnxtxt"
                source.write_text(part)
                target = out / "model.onnx"
                done = subprocess.run(
                    [build / "bin/qopt-translate", "--text-to-onnx", source,
                     "-o", target], capture_output=True)
                if done.returncode == 0:
                    keep(out / "onnx", target.read_bytes())
            elif name.endswith(".json"):
                for kind in ("plan", "recipe", "record"):
                    keep(out / kind, part)
    for name in ("text.onnxtxt", "model.onnx"):
        (out / name).unlink(missing_ok=True)


def from_commands(out, build):
    """What `qopt` writes for a network, and arrays."""
    work = out / "work"
    work.mkdir(exist_ok=True)

    def run(*words):
        subprocess.run([build / "bin/qopt", *map(str, words), "-q"], check=True,
                       cwd=work)

    model = work / "cnn.onnxtxt"
    model.write_bytes(NETWORK.read_bytes())
    subprocess.run([build / "bin/qopt-translate", "--text-to-onnx", model, "-o",
                    work / "cnn.onnx"], check=True)
    keep(out / "onnx", (work / "cnn.onnx").read_bytes())
    data = "random:normal:samples=4"
    run("calibrate", model, "--data", data, "-o", "profile.json")
    run("plan", model, "--data", data, "--budget", "size=0.7x", "-o",
        "plan.json")
    run("compile", model, "--data", data, "-o", "m", "--weights-file")
    run("compile", model, "--scheme", "float", "-o", "f")
    keep(out / "plan", (work / "plan.json").read_text())
    for path in [work / "profile.json", *work.glob("*.qopt/*.json")]:
        kind = "recipe" if path.name == "recipe.json" else "record"
        keep(out / kind, path.read_text())
    for path in work.glob("*.qopt/*.mlirbc"):
        keep(out / "module", path.read_bytes())
    weights = (work / "m.weights").read_bytes()
    keep(out / "weights", weights[:4096 + 128])
    for array in (np.ones((2, 3), np.float32), np.zeros((0, 4), np.int8),
                  np.asfortranarray(np.ones((4, 5), np.float64)),
                  np.array(3, np.uint16), np.ones((2, 2), bool)):
        np.save(work / "a.npy", array)
        keep(out / "npz", (work / "a.npy").read_bytes())
        for save in (np.savez, np.savez_compressed):
            save(work / "a.npz", a=array, b=np.arange(3))
            keep(out / "npz", (work / "a.npz").read_bytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    options = parser.parse_args()
    out, build = options.out.resolve(), options.build.resolve()
    out.mkdir(parents=True, exist_ok=True)
    from_commands(out, build)
    from_lit_tests(out, build)
    from_python_tests(out, build)
    for folder in sorted(path for path in out.iterdir() if path.is_dir()):
        print(f"{folder.name}: {len(list(folder.iterdir()))}")


if __name__ == "__main__":
    main()
