"""qopt: compile quantized neural networks.

    model = qopt.load("model.onnx")
    profile = qopt.calibrate(model, batches)          # any iterable of samples
    program = qopt.compile(qopt.quantize(model, profile, "w8a8"))
    y = program(x)                                    # NumPy arrays

Errors are exceptions of `qopt.errors`; each has `.exit_code`, `.diagnostics`.
"""
import os

import numpy as np

from . import _qopt
from .errors import (DataError, Error, InternalError, MissingToolError,
                     ModelError, ResourceError, UnsupportedError, UsageError)

__all__ = ["Calibrator", "DataError", "Error", "InternalError",
           "MissingToolError", "Model", "ModelError", "Profile", "Program",
           "ResourceError", "UnsupportedError", "UsageError", "calibrate",
           "compile", "evaluate", "load", "quantize"]

Profile = _qopt.Profile

_NAMES = {"float32": "f32", "float64": "f64", "float16": "f16",
          "bfloat16": "bf16", "bool": "b1", "int8": "i8", "int16": "i16",
          "int32": "i32", "int64": "i64", "uint8": "u8", "uint16": "u16",
          "uint32": "u32", "uint64": "u64"}
_DTYPES = {short: name for name, short in _NAMES.items()}


def _numpy_dtype(short):
    if short == "bf16":
        try:
            import ml_dtypes
            return np.dtype(ml_dtypes.bfloat16)
        except ImportError:
            return np.dtype(np.uint16)
    return np.dtype(_DTYPES[short])


def _to_array(value):
    array = np.ascontiguousarray(value)
    # ascontiguousarray makes scalars 1-D.
    shape = np.shape(value)
    name = _NAMES.get(array.dtype.name)
    if name is None:
        raise DataError(f"expects numbers of a dtype that qopt has, got "
                        f"{array.dtype}", 502)
    return _qopt.Array(array.reshape(-1).view(np.uint8), name, list(shape))


def _from_array(array):
    return np.asarray(array.bytes).view(
        _numpy_dtype(array.dtype)).reshape(array.shape)


def _ordered(specs, inputs, keywords):
    """Positional, mapping or keyword arrays in the model's order."""
    if len(inputs) == 1 and isinstance(inputs[0], dict):
        keywords, inputs = inputs[0], ()
    if len(inputs) == 1 and isinstance(inputs[0], (list, tuple)) and \
            len(specs) != 1:
        inputs = tuple(inputs[0])
    if inputs and keywords:
        raise UsageError("expects arrays by position or by name, got both", 103)
    names = [name for name, _, _ in specs]
    if keywords:
        missing = [n for n in names if n not in keywords]
        unknown = [n for n in keywords if n not in names]
        if missing or unknown:
            raise DataError(f"expects inputs {names}, got {sorted(keywords)}",
                            502)
        inputs = tuple(keywords[n] for n in names)
    if len(inputs) != len(specs):
        raise DataError(f"expects {len(specs)} inputs {names}, got "
                        f"{len(inputs)}", 502)
    result = []
    for (name, dtype, shape), value in zip(specs, inputs):
        value = np.asarray(value)
        if value.shape != tuple(shape):
            if value.size != int(np.prod(shape)):
                raise DataError(f"input '{name}': expects shape "
                                f"{tuple(shape)}, got {value.shape}", 502)
            value = value.reshape(shape)
        if _NAMES.get(value.dtype.name) != dtype:
            raise DataError(f"input '{name}': expects {dtype}, got "
                            f"{value.dtype}", 502)
        result.append(_to_array(value))
    return result


class _Interface:
    """Inputs and outputs as (name, dtype, shape)."""

    @property
    def inputs(self):
        return [(n, _numpy_dtype(d), tuple(s)) for n, d, s in
                self._handle.inputs]

    @property
    def outputs(self):
        return [(n, _numpy_dtype(d), tuple(s)) for n, d, s in
                self._handle.outputs]


class Model(_Interface):
    """A graph: imported, prepared or quantized."""

    def __init__(self, handle):
        self._handle = handle

    def to_mlir(self):
        """The module as text."""
        return self._handle.to_mlir()

    def reference(self):
        """The model under the interpreter, the oracle of every test."""
        return Program(_qopt.make_reference(self._handle))


class Program(_Interface):
    """Something that runs: `program(x)`, `program(name=x)`, `run_list`."""

    def __init__(self, handle):
        self._handle = handle

    @property
    def input_names(self):
        return [name for name, _, _ in self._handle.inputs]

    def run_list(self, *inputs, **keywords):
        """All outputs as a list."""
        arrays = _ordered(self._handle.inputs, inputs, keywords)
        return [_from_array(a) for a in self._handle.run(arrays)]

    def run(self, *inputs, **keywords):
        """All outputs by name."""
        names = [name for name, _, _ in self._handle.outputs]
        return dict(zip(names, self.run_list(*inputs, **keywords)))

    def __call__(self, *inputs, **keywords):
        """The only output, or a tuple of all."""
        outputs = self.run_list(*inputs, **keywords)
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def save(self, stem):
        """Writes STEM.o and STEM.h."""
        for suffix, data in ((".o", self._handle.object),
                             (".h", self._handle.header.encode())):
            temporary = f"{stem}{suffix}.tmp"
            with open(temporary, "wb") as file:
                file.write(data)
            os.replace(temporary, f"{stem}{suffix}")


def load(model, shapes=None, dims=None, constants=None):
    """A model from a path (.onnx, .mlir, .mlirbc), bytes, or an
    onnx.ModelProto.

    shapes: input name -> shape, where the file leaves it open.
    dims: symbolic dimension -> extent.
    constants: input name -> array that becomes part of the model.
    """
    arguments = ({n: list(map(int, s)) for n, s in (shapes or {}).items()},
                 dict(dims or {}),
                 {n: _to_array(a) for n, a in (constants or {}).items()})
    if hasattr(model, "SerializeToString"):
        model = model.SerializeToString()
    if isinstance(model, (bytes, bytearray, memoryview)):
        return Model(_qopt.load_bytes(bytes(model), *arguments).prepare())
    return Model(_qopt.load(os.fspath(model), *arguments).prepare())


def _samples(model, data):
    for sample in data:
        inputs = sample if isinstance(sample, (tuple, list)) else (sample,)
        yield _ordered(model._handle.inputs, tuple(inputs), {})


def calibrate(model, data):
    """Statistics of every tensor over an iterable of samples (arrays, tuples
    in the order of the inputs, or dictionaries by name)."""
    return _qopt.calibrate(model._handle, iter(_samples(model, data)))


class Calibrator:
    """Calibration in pieces whose merge equals the whole."""

    def __init__(self, model):
        self.model = model
        self._profile = None

    def feed(self, data):
        """Adds the samples of an iterable."""
        part = calibrate(self.model, data)
        if self._profile is None:
            self._profile = part
        else:
            self._profile.merge(part)
        return self

    def finish(self):
        if self._profile is None:
            raise DataError("expects at least one sample", 503)
        return self._profile


def quantize(model, profile=None, scheme="w8a8", method="mse", data=None):
    """The quantized model. `data`, if given, are samples for the corrections
    that look at outputs (bias correction)."""
    samples = iter(_samples(model, data)) if data is not None else None
    return Model(_qopt.quantize(model._handle, profile, scheme, method,
                                samples))


def compile(model, symbol="model", threads=1):
    """Machine code for this CPU, in memory."""
    return Program(_qopt.compile(model._handle, symbol, threads))


def compile_onnx(model, shapes=None, dims=None, constants=None):
    """`compile(load(...))` for a model as it is."""
    return compile(load(model, shapes, dims, constants))


def evaluate(program, data, labels):
    """Top-1 accuracy of the first output."""
    hits = total = 0
    for sample, label in zip(data, labels):
        hits += int(np.argmax(program.run_list(sample)[0])) == int(label)
        total += 1
    if not total:
        raise DataError("expects at least one sample", 503)
    return hits / total
