# SPDX-License-Identifier: Apache-2.0
"""Images read at computed places, against ONNX Runtime: every mode, padding and
alignment, groups of channels and of offsets, regions beyond the image."""
import itertools

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto as T
from onnx import helper

from onnx_files import model_of, run, value


def check(folder, node, feeds, outputs, opset=22, atol=2e-5, constants=()):
    """Interpreter, machine code and ONNX Runtime agree."""
    kinds = {np.dtype(np.float32): T.FLOAT, np.dtype(np.int64): T.INT64}
    model = model_of(
        [node], [value(n, x.shape, kinds[x.dtype]) for n, x in feeds.items()],
        [value(n, None, kind) for n, kind in outputs], constants, opset=opset)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    want = session.run(None, feeds)
    got = run(folder, model, *feeds.values())
    for a, b in zip(got, want, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        assert np.allclose(a, b, 1e-4, atol), np.abs(a - b).max()


@pytest.mark.parametrize("mode,padding,align", [*itertools.product(
    ["linear", "nearest", "cubic"], ["zeros", "border", "reflection"], [0, 1])])
def test_grid_sample(tmp_path, mode, padding, align):
    random = np.random.default_rng(1)
    x = random.normal(size=(2, 3, 5, 7)).astype(np.float32)
    grid = random.uniform(-1.7, 1.7, (2, 4, 3, 2)).astype(np.float32)
    node = helper.make_node("GridSample", ["x", "g"], ["y"], mode=mode,
                            padding_mode=padding, align_corners=align)
    check(tmp_path, node, {"x": x, "g": grid}, [("y", T.FLOAT)])


@pytest.mark.parametrize("mode,padding", [*itertools.product(
    ["linear", "nearest"], ["zeros", "border", "reflection"])])
def test_grid_sample_of_volumes(tmp_path, mode, padding):
    random = np.random.default_rng(2)
    x = random.normal(size=(1, 2, 3, 4, 5)).astype(np.float32)
    grid = random.uniform(-1.5, 1.5, (1, 2, 3, 2, 3)).astype(np.float32)
    node = helper.make_node("GridSample", ["x", "g"], ["y"], mode=mode,
                            padding_mode=padding)
    check(tmp_path, node, {"x": x, "g": grid}, [("y", T.FLOAT)])


@pytest.mark.parametrize("mode,half,samples", [*itertools.product(
    ["avg", "max"], ["half_pixel", "output_half_pixel"], [0, 1, 3])])
def test_roi_align(tmp_path, mode, half, samples):
    random = np.random.default_rng(3)
    x = random.normal(size=(2, 3, 8, 9)).astype(np.float32)
    corners = np.sort(random.uniform(-4, 22, (5, 2, 2)), axis=1)
    rois = corners.reshape(5, 4).astype(np.float32)
    node = helper.make_node(
        "RoiAlign", ["x", "r", "b"], ["y"], mode=mode, output_height=3,
        output_width=2, sampling_ratio=samples, spatial_scale=0.5,
        coordinate_transformation_mode=half)
    check(tmp_path, node, {"x": x, "r": rois, "b": np.array([0, 1, 1, 0, 1])},
          [("y", T.FLOAT)], opset=16)


@pytest.mark.parametrize("mode,half", [*itertools.product(
    ["avg", "max"], ["half_pixel", "output_half_pixel"])])
def test_roi_align_by_size(tmp_path, mode, half):
    """Regions within an element, of none, turned around, and far larger than
    the map or outside of it."""
    x = np.random.default_rng(3).normal(size=(1, 3, 6, 5)).astype(np.float32)
    rois = np.array([[1, 1, 1.5, 1.5], [2, 2, 2, 2], [4, 4, 1, 1],
                     [-40, -30, 50, 60], [0, 0, 5, 6], [20, 20, 30, 30],
                     [-3, 2, 400, 3], [-1, -1, 0, 0]], np.float32)
    node = helper.make_node(
        "RoiAlign", ["x", "r", "b"], ["y"], mode=mode, output_height=2,
        output_width=3, coordinate_transformation_mode=half)
    check(tmp_path, node, {"x": x, "r": rois, "b": np.zeros(8, np.int64)},
          [("y", T.FLOAT)], opset=16)


@pytest.mark.parametrize("group,offsets", [(1, 1), (2, 1), (1, 2), (2, 4)])
def test_deformable_convolution(tmp_path, group, offsets):
    random = np.random.default_rng(4)
    x = random.normal(size=(2, 4, 6, 7)).astype(np.float32)
    w = random.normal(size=(6, 4 // group, 3, 2)).astype(np.float32)
    moved = random.normal(size=(2, offsets * 12, 4, 4)).astype(np.float32)
    mask = random.uniform(size=(2, offsets * 6, 4, 4)).astype(np.float32)
    bias = random.normal(size=6).astype(np.float32)
    node = helper.make_node(
        "DeformConv", ["x", "w", "o", "b", "m"], ["y"], group=group,
        offset_group=offsets, strides=[2, 2], pads=[2, 1, 1, 0],
        dilations=[1, 1], kernel_shape=[3, 2])
    check(tmp_path, node, {"x": x, "w": w, "o": moved, "b": bias, "m": mask},
          [("y", T.FLOAT)], atol=1e-4)


@pytest.mark.parametrize("order,pads,dilations", [
    (0, [0, 0, 0, 0], [1, 1]), (1, [1, 0, 1, 1], [1, 1]),
    (0, [1, 1, 0, 1], [2, 1])])
def test_positions_of_maxima(tmp_path, order, pads, dilations):
    random = np.random.default_rng(5)
    x = random.integers(-3, 3, (2, 3, 7, 6)).astype(np.float32)
    node = helper.make_node(
        "MaxPool", ["x"], ["y", "i"], kernel_shape=[3, 2], strides=[2, 1],
        pads=pads, dilations=dilations, storage_order=order)
    check(tmp_path, node, {"x": x}, [("y", T.FLOAT), ("i", T.INT64)])


@pytest.mark.parametrize("strides,pads,dilations", [
    ([1, 1], [0, 0, 0, 0], [1, 1]), ([2, 1], [1, 0, 0, 1], [1, 2])])
def test_columns_to_images(tmp_path, strides, pads, dilations):
    random = np.random.default_rng(6)
    blocks = [(e + pads[d] + pads[d + 2] - (k - 1) * dilations[d] - 1)
              // strides[d] + 1 for d, (e, k) in enumerate([(5, 2), (6, 3)])]
    x = random.normal(size=(2, 3 * 6, np.prod(blocks))).astype(np.float32)
    node = helper.make_node("Col2Im", ["x", "e", "k"], ["y"], strides=strides,
                            pads=pads, dilations=dilations)
    sizes = [helper.make_tensor("e", T.INT64, [2], [5, 6]),
             helper.make_tensor("k", T.INT64, [2], [2, 3])]
    check(tmp_path, node, {"x": x}, [("y", T.FLOAT)], opset=18,
          constants=sizes)
