#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Memory and time that a decoder of gigabytes takes to compile.

  bench/large.py make DIR [--layers 24] [--width 1280] [--vocab 32000] [--sparse]
  bench/large.py measure --qopt build/bin/qopt [--work DIR] [--schemes float ...]
                 [--layers 24] [--sparse] [--flags=FLAGS]

`make` writes DIR/decoder.onnx and DIR/decoder.data: weights are external and
random. With --sparse only the first rows of each weight are written: the rest
are holes of the file, which read as zeros and take no disk.

`measure` compiles with each scheme and prints peak resident memory (that of the
compiler, pages of mapped files included), time, and sizes of what was written;
then runs the result once. The bound of memory is 1.25 x the model + 300 MB.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

ALIGNMENT = 1 << 16  # of exporters, for what is large
SPARSE_BYTES = 1 << 18  # that are written of a weight


class Weights:
    """A file of external data that grows."""

    def __init__(self, path, sparse):
        self.file, self.name, self.sparse = open(path, "wb"), path.name, sparse
        rng = np.random.default_rng(0)
        self.pool = rng.standard_normal(1 << 23, dtype=np.float32)
        self.end, self.turn = 0, 0

    def add(self, name, *shape):
        count = int(np.prod(shape))
        self.turn = (self.turn * 5 + 12345) % (self.pool.size // 2)
        values = np.resize(np.roll(self.pool, self.turn),
                           SPARSE_BYTES // 4 if self.sparse else count)
        offset = -(-self.end // ALIGNMENT) * ALIGNMENT
        self.file.seek(offset)
        (values[:count] / np.float32(np.sqrt(shape[0]))).tofile(self.file)
        self.end = offset + 4 * count
        self.file.truncate(self.end)
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT,
                             dims=shape, data_location=TensorProto.EXTERNAL)
        for key, value in (("location", self.name), ("offset", offset),
                           ("length", 4 * count)):
            tensor.external_data.add(key=key, value=str(value))
        return tensor


class Decoder:
    def __init__(self, weights, options):
        self.weights, self.o = weights, options
        self.nodes, self.tensors = [], []
        self.rng = np.random.default_rng(1)

    def op(self, kind, *inputs, **attributes):
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name,
                                           **attributes))
        return name

    def keep(self, tensor):
        self.tensors.append(tensor)
        return tensor.name

    def small(self, array):
        name = f"c{len(self.tensors)}"
        return self.keep(numpy_helper.from_array(np.asarray(array), name))

    def linear(self, x, name, rows, columns, bias=True):
        y = self.op("MatMul", x, self.keep(self.weights.add(name, rows, columns)))
        if not bias:
            return y
        values = self.rng.standard_normal(columns, dtype=np.float32) / 16
        return self.op("Add", y, self.small(values))

    def norm(self, x):
        w = self.o.width
        return self.op("LayerNormalization", x,
                       self.small(np.ones(w, np.float32)),
                       self.small(np.zeros(w, np.float32)))

    def heads(self, x, permutation):
        o = self.o
        shape = np.array([1, o.tokens, o.heads, o.width // o.heads], np.int64)
        return self.op("Transpose", self.op("Reshape", x, self.small(shape)),
                       perm=permutation)

    def attention(self, x, name, mask):
        o = self.o
        q, k, v = (self.linear(x, f"{name}.{part}", o.width, o.width)
                   for part in "qkv")
        scores = self.op("MatMul", self.heads(q, [0, 2, 1, 3]),
                         self.heads(k, [0, 2, 3, 1]))
        scale = np.float32((o.width // o.heads) ** -0.5)
        scores = self.op("Add", self.op("Mul", scores, self.small(scale)), mask)
        mixed = self.op("MatMul", self.op("Softmax", scores, axis=-1),
                        self.heads(v, [0, 2, 1, 3]))
        mixed = self.op("Transpose", mixed, perm=[0, 2, 1, 3])
        mixed = self.op("Reshape", mixed,
                        self.small(np.array([1, o.tokens, o.width], np.int64)))
        return self.linear(mixed, f"{name}.out", o.width, o.width)

    def model(self):
        o = self.o
        table = self.keep(self.weights.add("embedding", o.vocab, o.width))
        x = self.op("Gather", table, "ids")
        triangle = np.triu(np.full((o.tokens, o.tokens), -1e9, np.float32), 1)
        mask = self.small(triangle)
        for i in range(o.layers):
            x = self.op("Add", x, self.attention(self.norm(x), f"l{i}", mask))
            y = self.linear(self.norm(x), f"l{i}.up", o.width, 4 * o.width)
            y = self.op("Gelu", y)
            y = self.linear(y, f"l{i}.down", 4 * o.width, o.width)
            x = self.op("Add", x, y)
        self.linear(self.norm(x), "head", o.width, o.vocab, bias=False)
        self.nodes[-1].output[0] = "logits"
        ids = helper.make_tensor_value_info("ids", TensorProto.INT64,
                                            [1, o.tokens])
        out = helper.make_tensor_value_info("logits", TensorProto.FLOAT,
                                            [1, o.tokens, o.vocab])
        graph = helper.make_graph(self.nodes, "decoder", [ids], [out],
                                  self.tensors)
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def make(folder, options):
    """Returns the model's path and the bytes of its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = Weights(folder / "decoder.data", options.sparse)
    model = Decoder(weights, options).model()
    weights.file.close()
    save(model, folder / "decoder.onnx")
    return folder / "decoder.onnx", weights.end


def run(command):
    """Seconds, those of CPU, and peak resident bytes of a command; exits where it
    fails."""
    start = time.monotonic()
    process = subprocess.Popen([str(word) for word in command],
                               stderr=subprocess.PIPE, text=True)
    text = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit "
                 f"{process.returncode}\n{text[-2000:]}")
    return (time.monotonic() - start, usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss * 1024)


def sizes(stem):
    """Bytes of what a call wrote: beside the bundle, and in it."""
    beside = sum(path.stat().st_size
                 for path in stem.parent.glob(stem.name + ".*")
                 if path.is_file())
    bundle = stem.parent / (stem.name + ".qopt")
    return beside, sum(p.stat().st_size for p in bundle.rglob("*"))


def measure(options):
    work = pathlib.Path(options.work or tempfile.mkdtemp())
    model, weights = make(work / "model", options)
    ids = np.arange(options.tokens, dtype=np.int64)[None] * 7 % options.vocab
    np.save(work / "ids.npy", ids)
    bound = 1.25 * weights + 300e6
    print(f"weights {weights / 1e6:.0f} MB, bound {bound / 1e6:.0f} MB")
    failed = False
    for scheme in options.schemes:
        stem = work / scheme / "decoder"
        stem.parent.mkdir()
        flags = options.flags.split()
        seconds, busy, peak = run([options.qopt, "compile", model, "--scheme",
                                   scheme, "-q", "-o", stem, *flags])
        beside, bundle = sizes(stem)
        text = (f"{scheme:10} compile {seconds:6.1f} s ({busy:.1f} of CPU), peak "
                f"{peak / 1e6:6.0f} MB ({peak / weights:.2f}x), files "
                f"{beside / 1e6:.0f} MB, bundle {bundle / 1e6:.0f} MB")
        if not options.no_run:
            seconds, _, used = run([options.qopt, "run", stem, "-q", "--input",
                                    f"ids=@{work / 'ids.npy'}", "--output",
                                    f"logits=@{work / scheme}.npy"])
            text += f"; run {seconds:.1f} s, peak {used / 1e6:.0f} MB"
        print(text, flush=True)
        failed |= peak > bound
        if not options.keep:
            shutil.rmtree(stem.parent)
    if not options.work:
        shutil.rmtree(work)
    return int(failed)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name in ("make", "measure"):
        verb = verbs.add_parser(name)
        verb.add_argument("--layers", type=int, default=24)
        verb.add_argument("--width", type=int, default=1280)
        verb.add_argument("--heads", type=int, default=20)
        verb.add_argument("--vocab", type=int, default=32000)
        verb.add_argument("--tokens", type=int, default=16)
        verb.add_argument("--sparse", action="store_true")
        if name == "make":
            verb.add_argument("folder", type=pathlib.Path)
            continue
        verb.add_argument("--qopt", required=True)
        verb.add_argument("--work", help="kept; default: a folder that goes")
        verb.add_argument("--schemes", nargs="+",
                          default=["float", "w8a8-dyn", "w4a8-dyn"])
        verb.add_argument("--flags", default="", help="of qopt compile")
        verb.add_argument("--keep", action="store_true",
                          help="what was compiled stays in --work")
        verb.add_argument("--no-run", action="store_true")
    options = parser.parse_args()
    if options.verb == "measure":
        return measure(options)
    path, size = make(options.folder, options)
    print(f"{path}: {size / 1e6:.0f} MB of weights")
    return 0


if __name__ == "__main__":
    sys.exit(main())
