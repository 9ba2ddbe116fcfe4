#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does a graph with several results give the same bits on every route?

    fuzz.py [--first SEED] [--count N] [--routes object c hls] [--build build]
    fuzz.py --model FILE [--scheme w8a8 ...] [--shape INPUT=1x3x8x8]

Random graphs (qopt-random-graph) do everything twice on other values of the
same shapes and return two to five of them; every third returns all that is
inside. With --model, the graph is a model's, prepared and in every scheme
named quantized with random data, and returns everything. The interpreter says
what is right:

  object  machine code for this processor
  c       the C99 of --emit=c, where the whole graph is integers; compared with
          the interpreter on the integer graph that the C came from
  hls     C simulation of --emit=hls, where the device takes all of it; its
          test bench has the interpreter's outputs and counts what differs

Random bytes and floats go in, in every fourth graph with zeros of both signs,
infinities and NaN (which are equal here whatever their bits). A difference is
reported with the first node that has it and with a graph made as small as it
goes; exit status 1.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from graphtext import Graph, reduce  # noqa: E402

SPECIAL = np.array([0.0, -0.0, 1e30, -1e-40, np.inf, -np.inf, np.nan],
                   np.float32)


def make_inputs(specs, seed):
    random = np.random.default_rng(seed)
    inputs = []
    for _, dtype, shape in specs:
        dtype = np.dtype(dtype)
        if dtype.kind in "iu":
            low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
            if dtype.itemsize > 1:
                low, high = -1000, 1000
            inputs.append(random.integers(low, high, shape, dtype, True))
            continue
        if dtype.kind == "b":
            inputs.append(random.integers(0, 2, shape).astype(bool))
            continue
        values = random.uniform(-3, 3, shape).astype(dtype)
        if seed % 4 == 0 and values.size:
            flat = values.reshape(-1)
            flat[::5] = np.resize(SPECIAL, flat[::5].size).astype(dtype)
        inputs.append(values)
    return inputs


def count_differences(expected, got):
    if expected.shape != got.shape or expected.dtype != got.dtype:
        return max(expected.size, 1)
    bits = np.dtype(f"u{expected.dtype.itemsize}")
    flat = [np.atleast_1d(np.ascontiguousarray(a)) for a in (expected, got)]
    differ = flat[0].view(bits) != flat[1].view(bits)
    if expected.dtype.kind == "f":
        differ &= ~(np.isnan(flat[0]) & np.isnan(flat[1]))
    return int(differ.sum())


REFUSAL = "QOPT0302"  # unsupported by the target


class Routes:
    """Runs graphs, given as text, in `folder`."""

    def __init__(self, qopt, folder, routes):
        self.qopt, self.folder = qopt, Path(folder)
        self.routes = {name: getattr(self, f"run_{name}") for name in routes}

    def load(self, text):
        path = self.folder / "graph.mlir"
        path.write_text(str(text))
        return self.qopt.load(path)

    def emit(self, text, *words):
        """False if the target refuses something of the graph."""
        self.load(text)
        done = subprocess.run(
            [self.qopt.command, "compile", self.folder / "graph.mlir",
             "--scheme", "float", "-q", "--progress", "none", *words],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode and REFUSAL not in done.stdout:
            raise RuntimeError(done.stdout)
        return done.returncode == 0

    # Routes: the differing elements of each result, or None.

    def run_object(self, text, seed):
        model = self.load(text)
        inputs = make_inputs(model.inputs, seed)
        expected = model.reference().run_list(*inputs)
        got = self.qopt.compile(model).run_list(*inputs)
        return list(map(count_differences, expected, got))

    def run_hls(self, text, seed):
        at = self.folder / "device"
        if not self.emit(text, "--emit=hls", "--target=xc7z020",
                         "--vectors", "2", "-o", f"{at}/"):
            return None
        subprocess.run(["make", "-s", "-C", at, "CXX=clang++-22",
                        "CXXFLAGS=-std=c++14 -O0", "build/csim"], check=True)
        said = subprocess.run([at / "build" / "csim",
                               at / "tb" / "vectors.bin", "2"], text=True,
                              stdout=subprocess.PIPE).stdout
        counts = re.search(r"(\d+) compared, (\d+) mismatches", said)
        if not counts or counts[1] == "0":
            raise RuntimeError(f"simulation compared nothing:\n{said}")
        return [int(counts[2])]

    def run_c(self, text, seed):
        at = self.folder / "c"
        if not self.emit(text, "--emit=c", "-o", f"{at}/"):
            return None
        model = self.qopt.load(at / "quantized.mlirbc")
        inputs = make_inputs(model.inputs, seed)
        expected = model.reference().run_list(*inputs)
        subprocess.run(["cc", "-std=c99", "-O1", at / "main.c", at / "c.c",
                        "-o", at / "run"], check=True)
        (at / "in").write_bytes(b"".join(i.tobytes() for i in inputs))
        subprocess.run([at / "run", at / "in", at / "out"], check=True)
        data, got = (at / "out").read_bytes(), []
        for array in expected:
            got.append(np.frombuffer(data[:array.nbytes], array.dtype)
                       .reshape(array.shape))
            data = data[array.nbytes:]
        return list(map(count_differences, expected, got))

    def compare(self, route, text, seed):
        """Differing elements of each result, or None if the route refuses;
        `hls` knows the sum only."""
        return self.routes[route](text, seed)


def report(routes, route, graph, seed, differing):
    """Prints what differs, and a smaller graph that differs as well."""
    index = next(i for i, count in enumerate(differing) if count)
    name = graph.results[index]
    node = graph.find(name)
    print(f"seed {seed}: {route}: result {index} differs in "
          f"{differing[index]} elements; its node:\n  {name} = "
          f"{node.text if node else '(an argument)'}"[:2000])

    def fails(candidate):
        try:
            counts = routes.compare(route, candidate, seed)
        except Exception:  # A graph that is wrong in another way.
            return False
        return bool(counts and any(counts))

    print("reduced:\n" + str(reduce(graph, fails))[:20000], flush=True)


def check(routes, graph, seed, totals):
    for route in routes.routes:
        try:
            differing = routes.compare(route, graph, seed)
        except Exception as error:
            print(f"seed {seed}: {route}: {error}\n{graph}", flush=True)
            totals["failed"] += 1
            continue
        if differing is None:
            totals[f"refused by {route}"] = \
                totals.get(f"refused by {route}", 0) + 1
            continue
        totals[route] = totals.get(route, 0) + 1
        if any(differing):
            totals["differing elements"] += sum(differing)
            report(routes, route, graph, seed, differing)


def make_random_graphs(options):
    command = [options.build / "bin" / "qopt-random-graph",
               str(options.first), str(options.count)]
    text = subprocess.run(command, check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    for part in text.split("// seed ")[1:]:
        seed, module = part.split("\n", 1)
        graph = Graph.parse(module)
        if int(seed) % 3 == 0:
            graph = graph.returning(graph.inner())
        yield int(seed), graph


def print_plainly(options, text):
    """Without locations."""
    return subprocess.run([options.build / "bin" / "qopt-opt"], input=text,
                          check=True, text=True, stdout=subprocess.PIPE).stdout


def make_model_graphs(qopt, options):
    """The model in each scheme, returning everything."""
    shapes = dict(text.split("=") for text in options.shape)
    shapes = {name: [int(extent) for extent in text.split("x")]
              for name, text in shapes.items()}
    model = qopt.load(options.model, shapes=shapes)
    samples = [make_inputs(model.inputs, seed) for seed in range(1, 4)]
    profile = None
    for scheme in options.scheme:
        quantized = model
        if scheme != "float":
            profile = profile or qopt.calibrate(model, samples)
            quantized = qopt.quantize(model, profile, scheme)
        graph = Graph.parse(print_plainly(options, quantized.to_mlir()))
        yield scheme, graph.returning(graph.inner())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--routes", nargs="+", default=["object", "c"],
                        choices=["object", "c", "hls"])
    parser.add_argument("--build", type=Path, default=Path(
        os.environ.get("QOPT_BUILD", HERE.parents[1] / "build")))
    parser.add_argument("--model", type=Path)
    parser.add_argument("--scheme", nargs="+", default=["float", "w8a8"])
    parser.add_argument("--shape", action="append", default=[])
    options = parser.parse_args()
    sys.path.insert(0, str(options.build / "python"))
    import qopt
    qopt.command = options.build / "bin" / "qopt"
    totals = {"differing elements": 0, "failed": 0}
    with tempfile.TemporaryDirectory() as folder:
        routes = Routes(qopt, folder, options.routes)
        if options.model:
            graphs = ((1, graph) for _, graph in
                      make_model_graphs(qopt, options))
        else:
            graphs = make_random_graphs(options)
        results = 0
        for seed, graph in graphs:
            results += len(graph.results)
            check(routes, graph, seed, totals)
    print(f"{results} results; " + ", ".join(
        f"{name}: {count}" for name, count in totals.items()))
    return int(totals["differing elements"] > 0 or totals["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
