# SPDX-License-Identifier: Apache-2.0
"""Folding passes on the real models: the same function within 1e-4 in compiled
f32, wherever a model has a place for one."""
import os
import pathlib
import re
import subprocess

import numpy as np
import pytest

import qopt

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("QOPT_SHARED",
                                     ROOT.parent / "shared")) / "models"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(),
                                reason="the real models are not here")

# Extents for the models that leave them open, and how many places each pass
# finds: new ones are welcome, lost ones are not.
MODELS = {
    "ic_resnet8_float": (None, {"equalize": 3}),
    "ppocrv4_det_float": ((1, 3, 64, 96), {"equalize": 8}),
    "ppocrv4_rec_float": ((1, 3, 48, 64), {"equalize": 1, "rotation": 1,
                                           "smoothing": 4}),
    "vww_mobilenetv1_float": (None, {"equalize": 26}),
}
PASSES = {
    "equalize": ("qg-equalize-layers{from-weights}", "moved factors of"),
    "rotation": ("qg-fold-rotations{seed=1}", "channels rotated with"),
    "smoothing": ("qg-fold-smoothing{from-weights}", None),
}


def tool(name):
    return pathlib.Path(qopt.__file__).parents[2] / "bin" / name


def products(path):
    return path.read_text().count("qg.binary  mul")


@pytest.mark.parametrize("name", MODELS)
def test_exact(name, tmp_path):
    if not tool("qopt-opt").exists():
        pytest.skip("the passes' driver is not built")
    shape, places = MODELS[name]
    flags = ["--shape", f"x={'x'.join(map(str, shape))}"] if shape else []
    plain = tmp_path / "plain.mlir"
    subprocess.run([tool("qopt"), "import", SHARED / f"{name}.onnx", "-q",
                    *flags, "-o", plain], check=True)
    runs = {"plain": qopt.compile(qopt.load(plain))}
    for kind, least in places.items():
        pipeline, remark = PASSES[kind]
        changed = tmp_path / f"{kind}.mlir"
        done = subprocess.run(
            [tool("qopt-opt"), plain, "-o", changed, "--pass-pipeline="
             f"builtin.module(func.func({pipeline},canonicalize,cse))"],
            check=True, capture_output=True, text=True)
        found = (done.stderr.count("): " + remark) +
                 len(re.findall(rf"\): stream of \d+ {remark}", done.stderr))
                 if remark else products(changed) - products(plain))
        assert found >= least, kind
        runs[kind] = qopt.compile(qopt.load(changed))
    _, _, extents = runs["plain"].inputs[0]
    rng = np.random.default_rng(3)
    x = rng.random(extents, dtype=np.float32)
    want = runs["plain"].run_list(x)
    for kind, program in runs.items():
        for w, g in zip(want, program.run_list(x)):
            error = np.max(np.abs(w - g)) / np.max(np.abs(w))
            assert error <= 1e-4, (kind, error)
