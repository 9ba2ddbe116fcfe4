#!/usr/bin/env python3
"""Checks what TableGen definitions promise to readers.

Every pass has a summary, a description, an executed-example marker whose file
exists, options with help and kebab-case names, a source file named after it, a
test in which it refuses or declines;
every op has a description with an example, and what its description numbers
(C1, C2, ..) is cited by verifier and test. One line per offence, exit 1.
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


def find_runs(text):
    """RUN lines of a test, those that end in a backslash joined."""
    lines = "\n".join(re.findall(r"RUN: (.*)", text))
    return re.sub(r"\\\n\s*", "", lines).splitlines()


def find_refusing(flags):
    """Those of `flags` that a test shows refusing or declining: the last pass
    that a line runs, of a file NAME-invalid or NAME-declines, of one that
    expects an error or has the function that `qopt new` writes, or of a command
    that has to fail."""
    flag = re.compile(r"(?<![\w-])(?:--?)?(" + "|".join(sorted(flags, key=len,
                      reverse=True)) + r")(?![\w-])")
    refusing = set()
    for test in sorted((ROOT / "test").rglob("*")):
        if test.suffix not in {".mlir", ".test"}:
            continue
        text = test.read_text()
        whole = (re.search(r"-(?:invalid|declines)$", test.stem) or
                 "expected-error" in text or "@where_it_declines(" in text)
        for run in find_runs(text):
            ran = flag.findall(run)
            if ran and (whole or re.search(r"\bnot qopt-opt\b", run)):
                refusing.add(ran[-1])
    return refusing


def check_refusals(paths, offences):
    """Every pass has a test in which it refuses or declines."""
    flags = {record["argument"]: f"{path.relative_to(ROOT)}: {record['!name']}"
             for path in paths
             for record in instances(dump(path), "PassBase")}
    for name in sorted(set(flags) - find_refusing(flags)):
        offences.append(f"{flags[name]}: no test in which {name} refuses or "
                        "declines (NAME-invalid.mlir, NAME-declines.mlir)")


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
        # All definitions of a stage would compile its sources together.
        for source in find_source(stage, name):
            if f"/{stage}/Passes.h.inc" in source.read_text():
                offences.append(f"{source.relative_to(ROOT)}: includes "
                                f"Passes.h.inc, expected {name}.h.inc")
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


def find_sections(folder):
    """Parts of the dialect's tests that expect an error."""
    for test in sorted((ROOT / "test" / folder).glob("*.mlir")):
        yield from (part for part in test.read_text().split("// -----")
                    if "expected-error" in part)


def find_cited(sources, name):
    """Constraints that the verifier of op `name`, or a check that it calls and
    that stands in its file, cites: `// C1` or `// C1, C2`."""
    for source in sources:
        verifier = re.search(
            rf"LogicalResult (?:\w+::)?{name}::verify\(\) {{\n.*?\n}}\n",
            source, re.DOTALL)
        if not verifier:
            continue
        text = verifier.group(0)
        for check in set(re.findall(r"\b(check\w+)\(", text)):
            text += "".join(re.findall(
                rf"^static LogicalResult {check}\(.*?\n}}\n", source,
                re.DOTALL | re.MULTILINE))
        return {int(n) for cited in re.findall(r"// (C\d+(?:, C\d+)*)", text)
                for n in re.findall(r"\d+", cited)}
    return set()


def check_constraints(path, offences):
    """C1, C2, .. of a description: counted without a gap, each cited by the
    verifier (`// C1`) and by a test (`// C1: expected-error`)."""
    # Dialect/FXP, Target/HLS: of its sources and tests as well.
    folder = path.parents[1].relative_to(ROOT / "include/qopt")
    sources = [source.read_text() for source in
               sorted((ROOT / "lib" / folder).rglob("*.cpp"))]
    sections = list(find_sections(folder))
    constraints = 0
    for op in instances(dump(path), "Op"):
        numbers = [int(n) for n in re.findall(r"\* C(\d+):", op["description"])]
        if not numbers:
            continue
        constraints += len(numbers)
        where = f"{path.relative_to(ROOT)}: {op['!name']}"
        if numbers != list(range(1, len(numbers) + 1)):
            offences.append(f"{where}: constraints {numbers}, expected 1, 2, ..")
        name = op["!name"].partition("_")[2]
        cited = find_cited(sources, name)
        mnemonic = f"{folder.name.lower()}.{op['opName']} "
        tested = {int(n) for part in sections if mnemonic in part
                  for n in re.findall(r"// C(\d+): expected-error", part)}
        for number in sorted(set(numbers) - cited):
            offences.append(f"{where}: the verifier does not cite C{number}")
        for number in sorted(set(numbers) - tested):
            offences.append(f"{where}: no test cites C{number}")
        for number in sorted((cited | tested) - set(numbers)):
            offences.append(f"{where}: C{number} is cited and not described")
    return constraints


def main():
    offences, passes, ops, constraints = [], 0, 0, 0
    paths = sorted((ROOT / "include/qopt").rglob("Passes.td"))
    for path in paths:
        passes += check_passes(path, offences)
    check_refusals(paths, offences)
    for name in ("Dialect/QG/IR/QGReference.td", "Dialect/FXP/IR/FXP.td",
                 "Target/HLS/IR/HLS.td"):
        ops += check_ops(ROOT / "include/qopt" / name, offences)
        constraints += check_constraints(ROOT / "include/qopt" / name, offences)
    for offence in offences:
        print(offence)
    print(f"descriptions: {passes} passes, {ops} ops, {constraints} constraints, "
          f"{len(offences)} offences")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
