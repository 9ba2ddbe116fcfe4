#!/usr/bin/env python3
"""Which diagnostics does a test quote?

A diagnostic is a text of lib/ or include/qopt that goes through emitOpError,
emitError, Error(Code::...), an absl status or one of the functions that wrap
them. It counts as seen when words that no other diagnostic has in that order
stand in one quotation of a test: an expected-error, a FileCheck line or a
string of C++ or Python. Texts that are equal count once. Internal errors (our
own invariants) have no test and are left out.

  diagnostics.py [FOLDER]  prints the unseen ones of lib/FOLDER, then the sum
  diagnostics.py --check   exit 1 where more are unseen, or a smaller part is
                           seen, than diagnostics.txt says
"""
import argparse
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLOOR = ROOT / "tools/dev/diagnostics.txt"
# What reports: the functions of MLIR, of Support/Diagnostics.h and of absl, and
# the names that files give to their own.
CALL = re.compile(r"\b(emitOpError|emitError|Error(?:\s+\w+)?|\w+Error|error|"
                  r"fail|refuse|reject|invalid|badModel|unsupported|report|"
                  r"(?:problems|messages|errors)\.push_back)\s*\(")
NO_REPORT = re.compile(r"(take|get|consume|clear_|print|report_\w*|str|dl|"
                       r"Internal|Add|Squared)[Ee]rror$|getSquaredError")
LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"')
# What comes after the message and is no part of it.
TAIL = re.compile(r"\.(?:note|help)\(|\battachNote\(")
DIRECTIVE = re.compile(r"\b[A-Z][A-Z0-9_-]*(?:-(?:NEXT|SAME|DAG|NOT|LABEL))?:"
                       r"(.*)")
EXPECTED = re.compile(r"expected-(?:error|warning)(?:-re)?\s*(?:@\S+\s*)?"
                      r"(?:\d+\s*)?\{\{(.*?)\}\}(?!\})", re.DOTALL)
WORD = re.compile(r"\w+")
ESCAPES = re.compile(r'\\([nt"\'\\])')


def without_comments(text):
    """`text` with comments as blanks; lines and strings stay."""
    pattern = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
    blank = lambda m: (m.group(0) if m.group(0)[0] == '"' else
                       re.sub(r"[^\n]", " ", m.group(0)))
    return pattern.sub(blank, text)


def statement_after(text, start):
    """From `start` to the end of the statement or of the call around it; of a
    function that is defined here, what stands before its body."""
    depth, at = 0, start
    while at < len(text):
        char = text[at]
        if char == '"':
            literal = LITERAL.match(text, at)
            at = literal.end() if literal else at + 1
            continue
        depth += (char in "([{") - (char in ")]}")
        if depth < 0 or (char == ";" and depth == 0):
            break
        if char == "{" and re.search(r"\)(?:\s*const)?\s*$", text[start:at]):
            break
        at += 1
    return text[start:at]


def fragments_of(statement):
    """The texts of a statement; literals beside each other are one."""
    tail = TAIL.search(statement)
    statement = statement[:tail.start()] if tail else statement
    fragments, end = [], None
    for literal in LITERAL.finditer(statement):
        text = ESCAPES.sub(lambda m: " " if m.group(1) in "nt" else m.group(1),
                           literal.group(0)[1:-1])
        if end is not None and not statement[end:literal.start()].strip():
            fragments[-1] += text
        else:
            fragments.append(text)
        end = literal.end()
    return [text for text in fragments if WORD.search(text)]


def read_diagnostics():
    """{fragments: [place]} in the order of the sources."""
    found = {}
    for base in ("lib", "include/qopt"):
        for source in sorted((ROOT / base).rglob("*")):
            if (source.suffix not in {".h", ".cpp", ".c"} or
                    source.name == "Templates.h"):  # texts of scaffolds
                continue
            text = without_comments(source.read_text())
            done = 0
            for call in CALL.finditer(text):
                if NO_REPORT.match(call.group(1)) or call.start() < done:
                    continue
                statement = statement_after(text, call.start())
                if "Code::Internal" in statement:
                    continue
                fragments = tuple(fragments_of(statement))
                if not fragments:
                    continue
                done = call.start() + len(statement)
                line = text.count("\n", 0, call.start()) + 1
                place = f"{source.relative_to(ROOT)}:{line}"
                found.setdefault(fragments, []).append(place)
    return found


def read_quotations():
    """Word lists of everything that tests expect to read."""
    texts = []
    for test in sorted((ROOT / "test").rglob("*")):
        if test.suffix in {".mlir", ".test"}:
            text = test.read_text()
            texts += EXPECTED.findall(text)
            texts += [match.group(1) for match in map(DIRECTIVE.search,
                                                      text.splitlines())
                      if match]
        elif test.suffix in {".cpp", ".h", ".py"}:
            # Neighbouring literals are one, as for the compiler.
            text = re.sub(r'"\s*\n\s*[rf]?"', "", test.read_text())
            texts += [literal[1:-1] for literal in LITERAL.findall(text)]
    return [" " + " ".join(WORD.findall(text.replace("\\", " "))) + " "
            for text in texts]


def phrases_of(fragments, shortest=3):
    """Every run of `shortest` words or more that stands in one fragment."""
    for fragment in fragments:
        words = WORD.findall(fragment)
        for length in range(shortest, len(words) + 1):
            for at in range(len(words) - length + 1):
                yield " ".join(words[at:at + length])


def is_seen(fragments, owners, corpus, quotations):
    own = [phrase for phrase in phrases_of(fragments) if owners[phrase] == 1]
    # The shortest suffice: longer ones contain them.
    if own:
        return any(f" {phrase} " in corpus for phrase in own)
    whole = re.compile(r"\b.*\b".join(
        re.escape(" ".join(WORD.findall(text))) for text in fragments))
    return any(whole.search(quotation) for quotation in quotations)


def folder_of(place):
    """lib/Transforms/FoldQDQ/X.cpp:3 is in Transforms; dialects have rooms."""
    parts = re.sub(r"^(?:lib|include/qopt)/", "", place).split("/")
    rooms = {"Dialect", "Target", "Frontend", "Export", "Driver"}
    return "/".join(parts[:2] if parts[0] in rooms and len(parts) > 2
                    else parts[:1])


def report(unseen, total, only):
    by_folder = collections.defaultdict(list)
    for fragments, places in unseen.items():
        by_folder[folder_of(places[0])].append((fragments, places))
    for folder, rows in sorted(by_folder.items()):
        if only and not folder.startswith(only):
            continue
        print(f"\n{folder}: {len(rows)} of {total[folder]} without a test")
        for fragments, places in rows:
            print(f"  {places[0]}: {' .. '.join(fragments)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", default="")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    diagnostics = read_diagnostics()
    quotations = read_quotations()
    corpus = "\n".join(quotations)
    owners = collections.Counter(
        phrase for fragments in diagnostics
        for phrase in set(phrases_of(fragments)))
    unseen = {fragments: places for fragments, places in diagnostics.items()
              if not is_seen(fragments, owners, corpus, quotations)}
    total = collections.Counter(folder_of(places[0])
                                for places in diagnostics.values())
    if not options.check:
        report(unseen, total, options.folder)
        print()
    seen = len(diagnostics) - len(unseen)
    percent = 100 * seen / len(diagnostics)
    print(f"diagnostics: {seen} of {len(diagnostics)} quoted by a test "
          f"({percent:.1f} %)")
    floor, ceiling = map(float, FLOOR.read_text().split()[:2])
    if not options.check or (percent >= floor and len(unseen) <= ceiling):
        return 0
    print(f"{FLOOR.relative_to(ROOT)} asks for {floor:g} % and at most "
          f"{ceiling:g} without a test, got {len(unseen)}: quote the new text "
          "in a test (tools/dev/diagnostics.py lists those without)")
    return 1


if __name__ == "__main__":
    sys.exit(main())
