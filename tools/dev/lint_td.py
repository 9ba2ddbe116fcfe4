#!/usr/bin/env python3
"""Checks what TableGen definitions promise to readers.

Every pass has a summary, a description, an executed-example marker whose file
exists, options with help and kebab-case names, a source file named after it;
every op has a description with an example. One line per offence, exit 1.
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TBLGEN = "llvm-tblgen-22"
KEBAB = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")


def dump(path):
    """All records of a .td file as a dictionary."""
    output = subprocess.run(
        [TBLGEN, "--dump-json", "-I/usr/lib/llvm-22/include",
         f"-I{ROOT}/include", str(path)],
        check=True, capture_output=True, text=True).stdout
    return json.loads(output)


def instances(records, cls):
    return [records[name] for name in records["!instanceof"].get(cls, [])]


def find_source(stage, name):
    """NAME.cpp below the stage's folder; a conversion has a folder of its own,
    ConvertQGToFXP is Conversion/QGToFXP."""
    folder = ROOT / "lib" / stage
    return list(folder.rglob(f"{name}.cpp")) or list(
        folder.glob(f"{name.removeprefix('Convert')}/*.cpp"))


def check_passes(path, offences):
    records = dump(path)
    stage = path.parent.relative_to(ROOT / "include/qopt").as_posix()
    for record in instances(records, "PassBase"):
        name, flag = record["!name"], record["argument"]
        where = f"{path.relative_to(ROOT)}: {name}"
        if not KEBAB.match(flag):
            offences.append(f"{where}: flag '{flag}' is not kebab-case")
        if not record["summary"]:
            offences.append(f"{where}: no summary")
        markers = re.findall(r"\{\{example ([^}]+)\}\}", record["description"])
        if not markers:
            offences.append(f"{where}: description has no {{{{example}}}}")
        for marker in markers:
            if not (ROOT / marker.strip()).exists():
                offences.append(f"{where}: example {marker} does not exist")
        if not find_source(stage, name):
            offences.append(f"{where}: no lib/{stage}/**/{name}.cpp")
        for option in record["options"]:
            entry = records[option["def"]]
            if not entry["description"]:
                offences.append(f"{where}: option without help")
            if not KEBAB.match(entry["argument"]):
                offences.append(
                    f"{where}: option '{entry['argument']}' is not kebab-case")
    return len(instances(records, "PassBase"))


def check_ops(path, offences):
    records = dump(path)
    ops = [op for op in instances(records, "Op")]
    for op in ops:
        if "Example" not in op["description"]:
            offences.append(f"{path.relative_to(ROOT)}: {op['!name']}: "
                            "description has no example")
        if not op["summary"]:
            offences.append(f"{path.relative_to(ROOT)}: {op['!name']}: "
                            "no summary")
    return len(ops)


def main():
    offences, passes, ops = [], 0, 0
    for path in sorted((ROOT / "include/qopt").rglob("Passes.td")):
        passes += check_passes(path, offences)
    for name in ("Dialect/QG/IR/QG.td", "Dialect/FXP/IR/FXP.td",
                 "Dialect/HLS/IR/HLS.td"):
        ops += check_ops(ROOT / "include/qopt" / name, offences)
    for offence in offences:
        print(offence)
    print(f"descriptions: {passes} passes, {ops} ops, "
          f"{len(offences)} offences")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
