#!/usr/bin/env python3
"""Checks that one name in one namespace is one type.

All folders are one library, so two classes of one qualified name are one to the
linker, which keeps the functions of either: a vector of the one then moves its
elements as if they were of the other. Types without a name for the linker
(anonymous namespaces, members of classes) are their file's own business. Exit 1
and one line per name otherwise.
"""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMESPACE = re.compile(r"\s*namespace ([\w:]*)\s*\{")
DEFINITION = re.compile(r"(?:struct|class) (\w+)(?: final)?\s*(?::[^:]|\{)")


def find_definitions(text):
    """Qualified names of the types that `text` defines outside of others."""
    depth, spaces = 0, []
    for line in text.splitlines():
        space = NAMESPACE.match(line)
        if space:
            spaces.append((depth, space.group(1)))
        definition = DEFINITION.match(line)
        if definition and depth == len(spaces) and all(n for _, n in spaces):
            yield "::".join([name for _, name in spaces] +
                            [definition.group(1)])
        depth += line.count("{") - line.count("}")
        while spaces and depth <= spaces[-1][0]:
            spaces.pop()


def main():
    places = collections.defaultdict(set)
    for base in ("include/qopt", "lib"):
        for source in sorted((ROOT / base).rglob("*")):
            if source.suffix in {".h", ".cpp"} and source.name != "Templates.h":
                for name in find_definitions(source.read_text()):
                    places[name].add(str(source.relative_to(ROOT)))
    offences = {name: where for name, where in places.items() if len(where) > 1}
    for name, where in sorted(offences.items()):
        print(f"{name}: defined in {' and in '.join(sorted(where))}")
    print(f"names: {len(places)} types, {len(offences)} defined twice")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
