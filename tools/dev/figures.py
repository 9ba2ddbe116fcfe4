#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long are functions, and how many parameters do they take?

    figures.py [--lines 80] [--parameters 5] [--allowed N] [ROOT ...]

Reads the C++ of lib, include, tools and bench without a compiler: comments and
literals are blanked, braces are followed, and a brace that opens behind a
parameter list at namespace or class scope starts a function. Lines count from
the name to the closing brace. Lambdas belong to the function around them.

Prints the functions beyond the limits and one line with the counts. Exit status
1 if a function is longer than --lines, or if more than --allowed functions take
more than --parameters (without --allowed that is only printed).
"""
import argparse
import re
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ["lib", "include", "tools", "bench", "python"]

LITERALS = re.compile(
    r'R"(?P<tag>[^()\\ ]{0,16})\(.*?\)(?P=tag)"'
    r'|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"
    r"|^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.S | re.M)
TOKEN = re.compile(r"[A-Za-z_]\w*|::|->|[^\w\s]|\d[\w.']*")
NAMES = re.compile(r"[A-Za-z_]\w*$")
# Heads that open a block, but no function.
OTHER = {"if", "for", "while", "switch", "catch", "do", "else", "try"}


@dataclass
class Function:
    path: str
    name: str
    line: int
    lines: int
    parameters: int


def blank(match):
    """As many lines, no tokens; a literal stays one operand."""
    text = match.group()
    return ("0" if text[0] in "\"'R" else " ") + "\n" * text.count("\n")


def close(tokens, at):
    """Index of the bracket that closes the one at `at`."""
    depth = 0
    pairs = {"(": ")", "[": "]", "{": "}"}
    for i in range(at, len(tokens)):
        if tokens[i][0] in pairs:
            depth += 1
        elif tokens[i][0] in pairs.values():
            depth -= 1
            if not depth:
                return i
    return len(tokens) - 1


def count_parameters(tokens):
    """Commas between the parentheses that no bracket encloses."""
    if not tokens or [t for t, _ in tokens] == ["void"]:
        return 0
    depth, count = 0, 1
    for token, _ in tokens:
        if token in "([{<":
            depth += 1
        elif token in ")]}>":
            depth -= 1
        elif token == "," and depth == 0:
            count += 1
    return count


def find_name(head):
    """Index of the parenthesis that opens the parameter list, or None."""
    i = angle = 0
    while i < len(head):
        token = head[i][0]
        if token == "operator":
            while i + 1 < len(head) and head[i + 1][0] != "(":
                i += 1
            if head[i + 2:i + 3] and head[i + 2][0] == ")" and \
                    head[i][0] == "operator":
                i += 2  # operator()
            i += 1
            return i if i < len(head) else None
        if token == "<":
            angle += 1
        elif token == ">":
            angle = max(0, angle - 1)
        elif token == "=" and angle == 0:
            return None
        elif token == "(" and angle == 0:
            before = head[i - 1][0] if i else ""
            if NAMES.match(before) and before not in ("decltype", "alignas",
                                                      "__attribute__"):
                return i
            i = close(head, i)
        i += 1
    return None


def classify(head):
    """namespace, type, function or other: what the brace behind it opens."""
    words = [token for token, _ in head]
    if "namespace" in words[:2] or words[:1] == ["extern"] and "(" not in words:
        return "namespace", None
    if words and words[0] in OTHER:
        return "other", None
    opening = find_name(head)
    if opening is not None:
        return "function", opening
    if any(word in ("class", "struct", "union", "enum") for word in words):
        return "type", None
    return "other", None


def find_functions(path, text):
    text = LITERALS.sub(blank, text)
    tokens, line, last = [], 1, 0
    for match in TOKEN.finditer(text):
        line += text.count("\n", last, match.start())
        last = match.start()
        tokens.append((match.group(), line))
    functions, start, i = [], 0, 0
    while i < len(tokens):
        token = tokens[i][0]
        if token in ("public", "private", "protected") and \
                i + 1 < len(tokens) and tokens[i + 1][0] == ":":
            i += 1
            start = i + 1
        elif token in (";", "}"):
            start = i + 1
        elif token == "(":
            i = close(tokens, i)
        elif token == "{":
            head = tokens[start:i]
            kind, opening = classify(head)
            if kind in ("namespace", "type"):
                start = i + 1
                i += 1
                continue
            end = close(tokens, i)
            if kind == "function":
                closing = close(head, opening)
                rest = [word for word, _ in head[closing + 1:]]
                # A member that is initialized with braces, not the body.
                if ":" in rest and head[-1][0] not in (")", "}"):
                    i = end + 1
                    continue
                name = head[opening - 1]
                qualified = name[0]
                if opening > 2 and head[opening - 2][0] == "::":
                    qualified = head[opening - 3][0] + "::" + qualified
                functions.append(Function(
                    path, qualified, name[1], tokens[end][1] - name[1] + 1,
                    count_parameters(head[opening + 1:closing])))
            i = end
            start = i + 1
        i += 1
    return functions


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("roots", nargs="*", type=Path)
    parser.add_argument("--lines", type=int, default=80)
    parser.add_argument("--parameters", type=int, default=5)
    parser.add_argument("--allowed", type=int)
    options = parser.parse_args()
    functions = []
    for root in options.roots or [ROOT / folder for folder in FOLDERS]:
        paths = [root] if root.is_file() else sorted(root.rglob("*"))
        for path in paths:
            if path.suffix in (".cpp", ".h", ".c"):
                name = path.resolve()
                shown = (name.relative_to(ROOT) if name.is_relative_to(ROOT)
                         else name)
                functions += find_functions(str(shown),
                                            path.read_text(errors="replace"))
    long = [f for f in functions if f.lines > options.lines]
    wide = [f for f in functions if f.parameters > options.parameters]
    for f in sorted(long, key=lambda f: -f.lines):
        print(f"{f.path}:{f.line}: {f.name} has {f.lines} lines")
    for f in sorted(wide, key=lambda f: (-f.parameters, f.path)):
        print(f"{f.path}:{f.line}: {f.name} takes {f.parameters} parameters")
    lengths = [f.lines for f in functions]
    print(f"{len(functions)} functions, median {statistics.median(lengths):.0f}"
          f", longest {max(lengths)} lines; {len(long)} over {options.lines}"
          f" lines, {len(wide)} with more than {options.parameters} parameters")
    too_wide = options.allowed is not None and len(wide) > options.allowed
    if too_wide:
        print(f"expects at most {options.allowed} functions with more than "
              f"{options.parameters} parameters", file=sys.stderr)
    return 1 if long or too_wide else 0


if __name__ == "__main__":
    sys.exit(main())
