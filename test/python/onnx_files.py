# SPDX-License-Identifier: Apache-2.0
"""Small ONNX files, written here, through the interpreter and machine code."""
import onnx
from onnx import TensorProto, helper

import qopt
from modules import run_model

F32 = TensorProto.FLOAT


def value(name, shape, kind=F32):
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(nodes, inputs, outputs, initializers=(), opset=21, domains=()):
    """A model of nodes, of value infos and of tensors."""
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs),
                              list(initializers))
    imports = [helper.make_opsetid("", opset)]
    imports += [helper.make_opsetid(domain, 1) for domain in domains]
    model = helper.make_model(graph, opset_imports=imports)
    model.ir_version = 10
    return model


def load(folder, model, **options):
    path = folder / "model.onnx"
    onnx.save(model, path)
    return qopt.load(path, **options)


def run(folder, model, *inputs, **options):
    """Results of the interpreter, which machine code gives bit by bit."""
    return run_model(load(folder, model, **options), *inputs)
