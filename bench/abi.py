"""Calls a compiled model (STEM.so) through its C ABI with ctypes.

The struct is `qopt_call2` of include/qopt-rt/qopt_rt2.h, which begins with that of
version 1 and is one of version 2 where data decide how long outputs are; inputs and
outputs are bound once, so that a call costs what a C caller pays plus ctypes (~0.2 us).
"""
import ctypes
import json
import pathlib

import numpy as np

DTYPES = {"f32": np.float32, "f64": np.float64, "i8": np.int8, "u8": np.uint8,
          "i16": np.int16, "u16": np.uint16, "i32": np.int32,
          "i64": np.int64, "u32": np.uint32, "u64": np.uint64, "b1": np.bool_}


class Call(ctypes.Structure):
    _fields_ = [("abi", ctypes.c_uint32), ("threads", ctypes.c_uint32),
                ("inputs", ctypes.POINTER(ctypes.c_void_p)),
                ("outputs", ctypes.POINTER(ctypes.c_void_p)),
                ("arena", ctypes.c_void_p), ("weights", ctypes.c_void_p),
                ("parallel_for", ctypes.c_void_p), ("pool", ctypes.c_void_p),
                ("layer_hook", ctypes.c_void_p),
                ("hook_context", ctypes.c_void_p),
                # Of version 2.
                ("entry", ctypes.c_uint32), ("reserved", ctypes.c_uint32),
                ("lengths", ctypes.c_void_p), ("result_lengths", ctypes.c_void_p),
                ("state", ctypes.c_void_p)]


def aligned(count, dtype, alignment=64):
    """Uninitialized array whose first byte is aligned."""
    size = int(count) * np.dtype(dtype).itemsize
    raw = np.empty(size + alignment, np.uint8)
    start = -raw.ctypes.data % alignment
    return raw[start:start + size].view(dtype)


class Program:
    """`STEM.so` with the manifest of `STEM.qopt/`; `feed(arrays)` then `run()`."""

    def __init__(self, stem):
        stem = pathlib.Path(stem)
        manifest = json.loads((stem.parent / (stem.name + ".qopt") /
                               "manifest.json").read_text())
        library = ctypes.CDLL(str(stem.with_name(stem.name + ".so").resolve()))
        self.function = getattr(library, manifest["symbol"] + "_run")
        self.function.restype = ctypes.c_int
        make = lambda t: aligned(np.prod(t["shape"], dtype=np.int64),
                                 DTYPES[t["dtype"]]).reshape(t["shape"])
        self.names = [t["name"] for t in manifest["inputs"]]
        self.inputs = [make(t) for t in manifest["inputs"]]
        self.outputs = [make(t) for t in manifest["outputs"]]
        self.arena = aligned(manifest["arena_bytes"] + 64, np.uint8)
        pointers = lambda arrays: (ctypes.c_void_p * len(arrays))(
            *[a.ctypes.data for a in arrays])
        self.counted = [t.get("length") for t in manifest["outputs"]]
        self.lengths = np.zeros(len(manifest.get("lengths", [])), np.int64)
        self.call = Call(abi=2 if len(self.lengths) else 1, threads=1,
                         inputs=pointers(self.inputs),
                         outputs=pointers(self.outputs),
                         arena=self.arena.ctypes.data,
                         result_lengths=self.lengths.ctypes.data)
        self.argument = ctypes.byref(self.call)

    def feed(self, arrays):
        for bound, array in zip(self.inputs, arrays):
            bound[...] = np.asarray(array).reshape(bound.shape)

    def run(self):
        status = self.function(self.argument)
        if status:
            raise RuntimeError(f"M_run returned {status}")
        return self.outputs

    def trimmed(self):
        """Outputs of the last run with the elements that count, which lie densely."""
        arrays = []
        for array, counted in zip(self.outputs, self.counted):
            shape = list(array.shape)
            if counted:
                shape[counted["axis"]] = self.lengths[counted["index"]]
            arrays.append(array.reshape(-1)[:np.prod(shape, dtype=int)].reshape(shape))
        return arrays
