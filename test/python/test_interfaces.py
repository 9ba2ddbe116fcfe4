# SPDX-License-Identifier: Apache-2.0
"""Random graphs as plain C and as FPGA projects: every array of the interface
has a name of its own and is written or read by a step, and every result of the
graph is an array or is named as left out."""
import json
import os
import pathlib
import re
import subprocess

import pytest

BIN = pathlib.Path(os.environ.get("QOPT_BUILD", "build")).resolve() / "bin"
FIRST, COUNT = 1, 40


def make_graphs():
    text = subprocess.run([BIN / "qopt-random-graph", str(FIRST), str(COUNT)],
                          check=True, text=True, stdout=subprocess.PIPE).stdout
    for part in text.split("// seed ")[1:]:
        seed, module = part.split("\n", 1)
        yield int(seed), module


def compile_to(folder, path, *target):
    done = subprocess.run(
        [BIN / "qopt", "compile", path, "--scheme", "float", *target, "-o",
         f"{folder}/", "-q", "--symbol-prefix", "net"], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    # Whatever is refused is refused by name, before anything is written.
    assert done.returncode in (0, 3), done.stdout
    if done.returncode:
        assert re.search("^(error|note)", done.stdout, re.M), done.stdout
        assert not folder.exists()
    return done.returncode == 0


def check_c(folder, results):
    header = (folder / "net.h").read_text()
    source = (folder / "net.c").read_text()
    for kind in ("input", "output"):
        names = re.findall(rf"^/\* {kind} \d+: '(.*?)'", header, re.M)
        assert len(set(names)) == len(names), names
        if kind == "output":
            assert len(names) == results
            for i, name in enumerate(names):
                assert f"call->outputs[{i}]" in source, name


def check_hls(folder, results):
    report = json.loads((folder / "report.json").read_text())
    header = (folder / "src" / "net.h").read_text()
    for kind, ports in (("in", report["inputs"]), ("out", report["outputs"])):
        names = [port["name"] for port in ports]
        assert len(set(names)) == len(names), names
        lines = re.findall(rf"^// ({kind}_\w+): \d+ tokens of (\d+) (\w+) "
                           r"(\d+)-bit", header, re.M)
        assert [(sign == "signed", int(bits)) for _, _, sign, bits in lines] \
            == [(port["signed"], port["bits"]) for port in ports]
    assert len(report["outputs"]) + len(report["results_of_the_host"]) == results


def test_interfaces(tmp_path):
    taken = {"c": 0, "hls": 0}
    for seed, module in make_graphs():
        path = tmp_path / f"{seed}.mlir"
        path.write_text(module)
        returned = re.search(r"^    return (.*?) :", module, re.M)
        results = len(returned[1].split(","))
        for kind, check, target in (
                ("c", check_c, ["--emit=c"]),
                ("hls", check_hls, ["--emit=hls", "--target=xc7z020",
                                    "--vectors", "1"])):
            folder = tmp_path / f"{seed}-{kind}"
            if compile_to(folder, path, *target):
                taken[kind] += 1
                check(folder, results)
    assert min(taken.values()) >= 3, taken
