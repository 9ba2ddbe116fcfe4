"""qopt: compile quantized neural networks.

    model = qopt.load("model.onnx")
    quantized = qopt.quantize(model, data=batches, scheme="w8a8")
    program = qopt.compile(quantized)
    y = program(x)                                    # NumPy arrays
    qopt.build(model, "out/model", data=batches, emit=["object", "header"])

The settings of `quantize` and `build` are those of `qopt help recipe`, as
keywords or in a dict (`recipe=`), such as the `recipe` of a bundle's lock.json.

Errors are exceptions of `qopt.errors`; each has `.exit_code`, `.diagnostics`.
"""
import json
import os

import numpy as np

from . import _qopt
from .errors import (DataError, Error, InternalError, MissingToolError,
                     ModelError, ResourceError, UnsupportedError, UsageError)

__all__ = ["Calibrator", "DataError", "Error", "InternalError",
           "MissingToolError", "Model", "ModelError", "Plan", "Profile",
           "Program", "ResourceError", "UnsupportedError", "UsageError",
           "build", "calibrate", "compile", "compile_onnx", "evaluate", "load",
           "plan", "quantize"]

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

    def save(self, path):
        """Writes PATH.mlir, PATH.mlirbc or PATH.onnx; a quantized model as
        ONNX has QuantizeLinear and DequantizeLinear nodes."""
        _qopt.save(self._handle, os.fspath(path))

    @property
    def recipe(self):
        """Of a quantized model: every setting, as a dict that `quantize` and
        `build` take again; else None."""
        text = self._handle.recipe
        return None if text is None else json.loads(text)

    @property
    def profile(self):
        """Of a quantized model: the statistics that its ranges were read off;
        else None."""
        return self._handle.profile

    @property
    def messages(self):
        """Of a quantized model: what transforms and rounding said, lines."""
        return list(self._handle.lines)

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


def load(model, shapes=None, dims=None, constants=None, seed=0):
    """A model from a path (.onnx, .mlir, .mlirbc), bytes, or an
    onnx.ModelProto.

    shapes: input name -> shape, where the file leaves it open; of a result of which
        data decide the extents, their bounds.
    dims: symbolic dimension -> extent, or its bound if no input has it.
    constants: input name -> array that becomes part of the model.
    seed: what random numbers of the model are made of.
    """
    arguments = ({n: list(map(int, s)) for n, s in (shapes or {}).items()},
                 dict(dims or {}),
                 {n: _to_array(a) for n, a in (constants or {}).items()},
                 int(seed))
    if hasattr(model, "SerializeToString"):
        model = model.SerializeToString()
    if isinstance(model, (bytes, bytearray, memoryview)):
        return Model(_qopt.load_bytes(bytes(model), *arguments).prepare(True))
    path = os.fspath(model)
    return Model(_qopt.load(path, *arguments).prepare(
        path.endswith((".onnx", ".onnxtxt"))))


def _samples(model, data):
    for sample in data:
        inputs = sample if isinstance(sample, (tuple, list)) else (sample,)
        yield _ordered(model._handle.inputs, tuple(inputs), {})


def _is_path(data):
    return isinstance(data, (str, os.PathLike))


def _make_call(model, data, profile, pre, reference, resume, lock=None):
    """Data as paths (as --data takes them) or as samples in memory."""
    paths, samples = [], []
    if _is_path(data):
        paths = [os.fspath(data)]
    elif isinstance(data, (list, tuple)) and data and all(map(_is_path, data)):
        paths = [os.fspath(path) for path in data]
    elif data is not None:
        samples = list(_samples(model, data))
        if not samples:
            raise DataError("expects at least one sample", 503)
    declarations = [pre] if isinstance(pre, str) else list(pre or ())
    return _qopt.Call(paths, samples, profile, declarations, reference,
                      "" if resume is None else os.fspath(resume),
                      "" if lock is None else json.dumps(lock))


def _layers(layers):
    """A dict of names to settings, or a list of dicts with their names."""
    try:
        if isinstance(layers, dict):
            return [{"layer": name, **settings} for name, settings in
                    layers.items()]
        return list(layers)
    except TypeError:
        raise UsageError(f"layers: expected a list of dicts, or a dict of "
                         f"dicts by GLOB, got {layers!r}", 103) from None


def _make_settings(recipe, scheme, method, settings):
    """Keywords come before the recipe; layers of both count, in this order."""
    if not isinstance(recipe, (dict, type(None))):
        raise UsageError(f"recipe: expected a dict of settings, got "
                         f"{recipe!r}", 103)
    result = dict(recipe or {})
    for key, value in {"scheme": scheme, "method": method, **settings}.items():
        if value is None:
            continue
        if key == "plan" and isinstance(value, Plan):
            value = value.to_setting()
        if key == "layers":
            value = list(result.get("layers", [])) + _layers(value)
        result[key] = value
    return json.dumps(result)


def calibrate(model, data, per_channel=False, per_sample=False,
              reference=False):
    """Statistics of every tensor over an iterable of samples (arrays, tuples
    in the order of the inputs, or dictionaries by name).

    per_channel: ranges of channels as well. per_sample: of every sample as
    well, which the method moving-average needs. reference: run the
    interpreter instead of machine code; the numbers are the same."""
    return _qopt.calibrate(model._handle, iter(_samples(model, data)),
                           per_sample, per_channel, reference)


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


def quantize(model, profile=None, scheme=None, method=None, data=None, *,
             recipe=None, pre=(), target_requantize="f32", reference=False,
             resume=None, **settings):
    """The quantized model.

    profile: statistics from `calibrate`; else those of `data` are taken.
    scheme: where the settings start: w8a8 (the default of a float model),
      w4a8, w4a4, w8a8-dyn, w4a8-dyn, float, or qdq (the default of a model
      that brings encodings).
    method: how ranges are read off statistics: mse, min-max, percentile:P, ...
    data: samples (arrays, tuples, dictionaries), or paths as `--data` takes
      them. Rounding on data, transforms and bias correction look at them.
    recipe: settings as a dict, such as `Model.recipe` or the recipe of a lock.
    pre: `--pre` declarations for data from paths.
    target_requantize: the rounding of accumulators where no setting names one;
      fixed:31 and fixed:17 are those of C and of FPGAs.
    reference: run the interpreter instead of machine code.
    resume: a file that keeps the state of calibration, to go on where it ends.
    settings: any of `qopt help recipe` by its name, among them weights,
      rounding, transforms, bias_correction, requantize, layers (a list of
      {"layer": GLOB, "weights": ..., "rounding": ...}, or a dict by GLOB) and
      plan (from `qopt.plan`).
    """
    call = _make_call(model, data, profile, pre, reference, resume)
    return Model(_qopt.quantize(
        model._handle, _make_settings(recipe, scheme, method, settings), call,
        target_requantize))


class Plan:
    """Formats by layer and why, `qopt.plan/1`."""

    def __init__(self, text, costs=""):
        self._text, self._costs = text, costs

    @staticmethod
    def load(path):
        """A plan that `qopt plan` or `save` wrote."""
        with open(path, encoding="utf-8") as file:
            return Plan(file.read())

    @property
    def decisions(self):
        """One dictionary per layer: layer, op, format, rounding, loss, ..."""
        return json.loads(self._text)["decisions"]

    def to_json(self):
        """The plan as `qopt plan -o` writes it."""
        return self._text

    def costs_json(self):
        """Times that were measured for it (cost="measured"), or None."""
        return self._costs or None

    def to_setting(self):
        """What of it decides bytes: the `plan` of a recipe."""
        return json.loads(_qopt.make_plan_setting(self._text))

    def save(self, path):
        """Writes the file that `--plan` and `load` read."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(self._text)


def plan(model, data, budget, profile=None, *, pre=(), state=None,
         reference=False, resume=None, **settings):
    """Formats by layer under budgets, by an exact program.

    data: samples or paths, as for `quantize`.
    budget: "size=0.3x", "avg-bits=3.5", ..., one or a list.
    state: a path without its ending; what is rounded and measured is kept in
      files beside it and used again.
    settings: the flags of `qopt plan` with underscores: formats, rounding,
      transforms, sensitivity, plan_samples, rounds, pin (a dict), tie (a list
      of lists), worst, cost, gap, node_limit, time_limit, pareto, target; and
      method, per_channel_acts, samples, skip.
    """
    call = _make_call(model, data, profile, pre, reference, resume)
    chosen = {k: v for k, v in settings.items() if v is not None}
    chosen["budget"] = [budget] if isinstance(budget, str) else list(budget)
    if isinstance(chosen.get("pin"), dict):
        chosen["pin"] = [list(pair) for pair in chosen["pin"].items()]
    return Plan(*_qopt.plan(model._handle, json.dumps(chosen), call,
                            "" if state is None else os.fspath(state)))


_BUILD_OPTIONS = ("emit", "target", "mcpu", "integer_only", "outputs", "clock",
                  "cycles", "vectors", "patches", "symbol", "opt_level",
                  "weights_file", "embed_weights", "bundle_weights")


def _read_lock(lock, recipe, options):
    """A lock as a dict, its recipe, preprocessing and options."""
    if recipe is not None or options:
        raise UsageError("lock says everything that decides bytes: it does not "
                         "go with recipe or options", 105)
    try:
        if _is_path(lock):
            with open(lock, encoding="utf-8") as file:
                lock = json.load(file)
        return _take_lock(lock)
    except (OSError, ValueError, LookupError, TypeError,
            AttributeError) as error:
        raise ModelError(f"expects a lock that qopt wrote, got "
                         f"{type(error).__name__}: {error}", 403) from error


def _take_lock(lock):
    target = dict(lock.get("target", {}))
    taken = {key: lock[key] for key in ("emit", "symbol", "outputs",
                                        "integer_only") if key in lock}
    if "part" in target:
        taken["target"] = target.pop("part")
        taken.update(target)
    elif "triple" in target:
        taken["target"] = ":".join(target[k] for k in ("triple", "cpu",
                                                       "features"))
        taken["opt_level"] = target["opt_level"]
    pre = [(row["input"] + "=" if row["input"] else "") + row["steps"]
           for row in lock.get("preprocessing", [])]
    return lock, lock.get("recipe"), pre, taken


def build(model, output, data=None, profile=None, *, scheme=None, method=None,
          recipe=None, pre=(), reference=False, resume=None, lock=None,
          **options):
    """Quantizes a float model and writes files, as `qopt compile -o OUTPUT`.

    Returns the paths that were written. Data, profile, scheme, method, recipe
    and pre are those of `quantize`; a scheme of "float" rounds nothing.
    options: emit (a list of object, header, shared, static, exe, asm, onnx,
      llvm-ir, ir:STAGE; or c or hls alone, which
      write a folder), target, mcpu, integer_only, outputs, symbol, opt_level,
      weights_file, embed_weights, bundle_weights (auto, copy or refer);
      clock, cycles and vectors of hls; patches of c; and any setting of a recipe.

    lock: a path or dict; its options and recipe are taken, and nothing is
      written unless every byte is what it says. Model and data are given.

    The bundle's lock holds all of it. Samples in memory are known to it by
    their hash: a lock that the command can find its data by needs paths.
    """
    if lock is not None:
        lock, recipe, pre, taken = _read_lock(lock, recipe, options)
        options = taken
    call = _make_call(model, data, profile, pre, reference, resume,
                      lock)
    request = {k: options.pop(k) for k in _BUILD_OPTIONS if k in options}
    request = {k: v for k, v in request.items() if v is not None}
    if isinstance(request.get("emit"), str):
        request["emit"] = request["emit"].split(",")
    if request.get("opt_level") is not None:
        request["opt_level"] = int(request["opt_level"])
    return _qopt.build(model._handle, os.fspath(output), json.dumps(request),
                       _make_settings(recipe, scheme, method, options), call)


def compile(model, symbol="model", threads=1, opt_level=3, requantize="f32"):
    """Machine code for this CPU, in memory.

    requantize: how accumulators are rounded where the model does not say."""
    return Program(_qopt.compile(model._handle, symbol, threads, opt_level,
                                 requantize))


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
