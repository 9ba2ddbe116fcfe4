#!/usr/bin/env python3
"""Checks that no folder includes a folder above it.

The table is the one of docs/contributing/layers.md: a row may include what its
last cell names, and itself. Exit 1 and one line per offence otherwise.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = "docs/contributing/layers.md"


def read_table():
    """{folder: [folders that it may include]} as the page has it."""
    layers = {}
    for line in (ROOT / TABLE).read_text().splitlines():
        if not line.startswith("| ") or line.startswith("| folder |"):
            continue
        name, _, allowed = (cell.strip() for cell in line.split("|")[1:4])
        words, _, left_out = allowed.partition(", but ")
        if words == "everything above":
            layers[name] = [row for row in layers if row != left_out]
        else:
            layers[name] = [word for word in words.split(", ") if word]
    return layers


def layer_of(path, layers):
    """The longest row name that starts `path` (relative to the qopt root)."""
    rows = [row for row in layers if path.startswith(row + "/")]
    return max(rows, key=len, default=None)


def find_sources():
    """(path, path below the qopt root) of everything that includes."""
    for base in ("include/qopt", "lib"):
        for source in sorted((ROOT / base).rglob("*")):
            if source.suffix in {".h", ".cpp", ".td", ".c"}:
                yield (f"{base}/{source.relative_to(ROOT / base).as_posix()}",
                       source.relative_to(ROOT / base).as_posix())


def is_allowed(header, layer, layers):
    """A name with a row stands for that row, another for all rows inside it."""
    row = layer_of(header, layers)
    return any(row == name or name not in layers and
               header.startswith(name + "/")
               for name in (layer, *layers[layer]))


def check_source(path, layer, layers):
    """One line for each include that the row of `layer` does not allow."""
    if layers[layer] == ["everything"]:
        return
    lines = (ROOT / path).read_text(errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#?include "qopt/([^"]+)"', line)
        if match and not is_allowed(match.group(1), layer, layers):
            yield f"{path}:{number}: {layer} may not include {match.group(1)}"


def check_names(layers, sources):
    """Rows and what they allow are folders."""
    folders = {str(parent) for _, name in sources
               for parent in pathlib.PurePosixPath(name).parents}
    for row, allowed in layers.items():
        for name in (row, *allowed):
            if name not in folders and name != "everything":
                yield f"{TABLE}: row {row}: there is no folder '{name}'"


def main():
    layers = read_table()
    sources = list(find_sources())
    offences = list(check_names(layers, sources))
    for path, name in sources:
        layer = layer_of(name, layers)
        if layer:
            offences += check_source(path, layer, layers)
        elif "/" in name:
            offences.append(f"{path}: folder has no row in {TABLE}")
    for offence in offences:
        print(offence)
    print(f"layers: {len(offences)} offences")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
