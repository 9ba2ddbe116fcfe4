# SPDX-License-Identifier: Apache-2.0
"""Real models (beside the repository, or where QOPT_SHARED says): the compiled float path
within 1e-4 of ONNX Runtime, and the same bits with one thread and with two."""
import os
import pathlib

import numpy as np
import pytest

import qopt

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("QOPT_SHARED",
                                     ROOT.parent / "shared")) / "models"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(),
                                reason="the real models are not here")

# Extents for the models that leave them open.
SHAPES = {"ppocrv4_det_float": (1, 3, 160, 224),
          "ppocrv4_rec_float": (1, 3, 48, 160)}


def make_input(name, shape, seed):
    """Noise; for the detector a part of a page, as it answers zero to noise."""
    rng = np.random.default_rng(seed)
    if "det" not in name:
        return rng.random(shape, dtype=np.float32)
    with np.load(SHARED.parent / "data" / "ocr_pages.npz") as pages:
        page = pages["images"][seed]
    top, left = (int(v) for v in rng.integers(0, 400, 2))
    part = page[top:top + shape[2], left:left + shape[3]]
    return np.ascontiguousarray(
        (part.astype(np.float32) / 255 - 0.5).transpose(2, 0, 1)[None] / 0.25)


def names():
    return sorted(p.stem for p in SHARED.glob("*_float.onnx")) or ["none"]


def relative_error(actual, expected):
    return float(np.max(np.abs(actual - expected)) / np.max(np.abs(expected)))


@pytest.mark.parametrize("name", names())
def test_float_model(name):
    ort = pytest.importorskip("onnxruntime")
    path = SHARED / f"{name}.onnx"
    session = ort.InferenceSession(str(path),
                                   providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    # An open batch is one image.
    shape = SHAPES.get(name, tuple(
        d if isinstance(d, int) else 1 for d in entry.shape))
    model = qopt.load(path, shapes={entry.name: shape})
    one = qopt.compile(model, threads=1)
    two = qopt.compile(model, threads=2)
    for seed in (3, 7):
        x = make_input(name, shape, seed)
        want = session.run(None, {entry.name: x})
        got = one.run_list(x)
        assert len(got) == len(want)
        for a, b in zip(got, want):
            assert a.shape == b.shape
            assert relative_error(a, b) <= 1e-4
        again = two.run_list(x)
        assert [a.tobytes() for a in again] == [a.tobytes() for a in got]


def test_quantized_accuracy():
    """VWW on 60 images: 8 bits may cost two of them at most."""
    data = SHARED.parent / "data"
    pixels = np.load(data / "vww_images_u8_nhwc.npy", mmap_mode="r")
    labels = np.load(data / "vww_labels.npy")
    model = qopt.load(SHARED / "vww_mobilenetv1_float.onnx")
    shape = model.inputs[0][2]

    def samples(start, stop):
        for image in pixels[start:stop]:
            x = image.astype(np.float32) / 255
            if shape[1] == 3:
                x = x.transpose(2, 0, 1)
            yield np.ascontiguousarray(x).reshape(shape)

    quantized = qopt.quantize(model, qopt.calibrate(model, samples(100, 132)))
    exact = qopt.evaluate(qopt.compile(model), samples(0, 60), labels)
    cheap = qopt.evaluate(qopt.compile(quantized), samples(0, 60), labels)
    assert exact > 0.75
    assert cheap >= exact - 2 / 60
