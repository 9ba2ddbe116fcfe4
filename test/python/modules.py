# SPDX-License-Identifier: Apache-2.0
"""Modules given as text, through the interpreter and through machine code."""
import numpy as np

import qopt


def text_of(array):
    """dense<..> of an array, every bit kept."""
    bits = np.ascontiguousarray(array)
    return f'dense<"0x{bits.tobytes().hex().upper()}">'


def type_of(shape, element):
    return "tensor<" + "".join(f"{extent}x" for extent in shape) + element + ">"


def same_bits(a, b):
    """Equal bytes, but for NaNs, which have no canonical bits."""
    if a.dtype.kind == "f":
        both = np.isnan(a) & np.isnan(b)
        a, b = np.where(both, 0, a), np.where(both, 0, b)
    return a.shape == b.shape and a.tobytes() == b.tobytes()


def run_model(model, *inputs):
    """Results of the interpreter, which machine code must give bit by bit."""
    expected = model.reference().run_list(*inputs)
    got = qopt.compile(model).run_list(*inputs)
    assert len(expected) == len(got)
    for a, b in zip(expected, got):
        assert same_bits(a, b), f"interpreter {a}, machine code {b}"
    return expected


def run_module(folder, text, *inputs):
    path = folder / "module.mlir"
    path.write_text(text)
    return run_model(qopt.load(path), *inputs)


def run_op(folder, op, inputs, results, constants=()):
    """One op: `op` is its text in front of ` : `, with %a0, %a1, ... for the
    inputs (array, element) and %c0, ... for constants; results are
    (shape, element)."""
    types = [type_of(a.shape, e) for a, e in inputs]
    outs = [type_of(s, e) for s, e in results]
    arguments = ", ".join(f"%a{i}: {t}" for i, t in enumerate(types))
    lines = [f"func.func @main({arguments}) -> ({', '.join(outs)}) {{"]
    for i, (array, element) in enumerate(constants):
        kind = type_of(array.shape, element)
        lines.append(f"  %c{i} = qg.constant {text_of(array)} : {kind} -> {kind}")
    lines += [f"  %y = {op}", f"  return %y : {outs[0]}", "}"]
    return run_module(folder, "\n".join(lines) + "\n",
                      *(a for a, _ in inputs))[0]
