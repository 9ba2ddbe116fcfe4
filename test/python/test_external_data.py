# SPDX-License-Identifier: Apache-2.0
"""External data behind links: what the folder of the model, or of the file
that its name is a link to, holds is read; what lies elsewhere is not."""
import os

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import qopt
from modules import run_model
from onnx_files import model_of, value

W = np.arange(4, dtype=np.float32)


def write(folder, location="data.bin"):
    """A model whose weights lie in a file; the path of the model."""
    folder.mkdir(parents=True, exist_ok=True)
    w = numpy_helper.from_array(W, "w")
    w.ClearField("raw_data")
    w.data_location = onnx.TensorProto.EXTERNAL
    w.external_data.add(key="location", value=location)
    model = model_of([helper.make_node("Add", ["x", "w"], ["y"])],
                     [value("x", [4])], [value("y", [4])], [w])
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def check(path):
    x = np.ones(4, np.float32)
    assert np.array_equal(run_model(qopt.load(path), x)[0], x + W)


def refuse(path, *words):
    with pytest.raises(qopt.Error) as error:
        qopt.load(path)
    for word in words:
        assert word in str(error.value)


def test_link_inside_the_folder(tmp_path):
    path = write(tmp_path)
    (tmp_path / "blob").write_bytes(W.tobytes())
    (tmp_path / "data.bin").symlink_to("blob")
    check(path)


def test_links_of_a_hub(tmp_path):
    """snapshots/1/onnx/model.onnx -> ../../../blobs/a, and its data alike."""
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "1" / "onnx"
    snapshot.mkdir(parents=True)
    os.rename(write(blobs), blobs / "a")
    (blobs / "b").write_bytes(W.tobytes())
    (snapshot / "model.onnx").symlink_to("../../../blobs/a")
    (snapshot / "data.bin").symlink_to("../../../blobs/b")
    check(snapshot / "model.onnx")


def test_data_beside_the_file_behind_the_link(tmp_path):
    store = write(tmp_path / "store")
    (tmp_path / "store" / "data.bin").write_bytes(W.tobytes())
    (tmp_path / "here.onnx").symlink_to(store)
    check(tmp_path / "here.onnx")


def test_folder_that_is_a_link(tmp_path):
    write(tmp_path / "store")
    (tmp_path / "store" / "data.bin").write_bytes(W.tobytes())
    (tmp_path / "here").symlink_to("store")
    check(tmp_path / "here" / "model.onnx")


def test_relative_path_of_the_model(tmp_path, monkeypatch):
    write(tmp_path)
    (tmp_path / "data.bin").write_bytes(W.tobytes())
    monkeypatch.chdir(tmp_path)
    check("model.onnx")


def test_link_that_escapes(tmp_path):
    path = write(tmp_path / "here")
    (tmp_path / "secret").write_bytes(W.tobytes())
    (tmp_path / "here" / "data.bin").symlink_to("../secret")
    refuse(path, "initializer 'w': external data: expects a file in the "
           "model's folder, 'data.bin' is a link to '", "secret'; copy it "
           "beside the model")


def test_link_to_a_folder_of_a_like_name(tmp_path):
    """`here2` begins with `here` and is another folder."""
    path = write(tmp_path / "here")
    (tmp_path / "here2").mkdir()
    (tmp_path / "here2" / "secret").write_bytes(W.tobytes())
    (tmp_path / "here" / "data.bin").symlink_to("../here2/secret")
    refuse(path, "is a link to")


def test_folder_below_that_is_a_link(tmp_path):
    path = write(tmp_path / "here", "sub/data.bin")
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "data.bin").write_bytes(W.tobytes())
    (tmp_path / "here" / "sub").symlink_to("../else")
    refuse(path, "'sub/data.bin' is a link to")


def test_broken_link_and_pipe(tmp_path):
    path = write(tmp_path)
    (tmp_path / "data.bin").symlink_to("nothing")
    refuse(path, "external data: cannot read '", "no such file")
    (tmp_path / "data.bin").unlink()
    os.mkfifo(tmp_path / "data.bin")
    refuse(path, "expects a regular file, got 'data.bin'")


def test_data_that_is_not_said_to_be_external(tmp_path):
    path = write(tmp_path)
    (tmp_path / "data.bin").write_bytes(W.tobytes())
    model = onnx.load(path, load_external_data=False)
    model.graph.initializer[0].ClearField("data_location")
    path.write_bytes(model.SerializeToString())
    check(path)
