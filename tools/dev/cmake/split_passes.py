#!/usr/bin/env python3
"""Cuts what mlir-tblgen writes for a Passes.td into one file a pass.

  split_passes.py Passes.h.inc FOLDER

FOLDER/NAME.h.inc holds the options, constructors and base class of pass NAME,
for NAME.cpp alone. A file whose text is the same keeps its time, so that a
change of one pass compiles one source and not all of the folder.
"""
import pathlib
import re
import sys

PASS = re.compile(r"#ifdef GEN_PASS_DECL_(?P<upper>\w+)\n(?P<declaration>.*?)"
                  r"#undef GEN_PASS_DECL_(?P=upper)\n#endif[^\n]*\n"
                  r"#ifdef GEN_PASS_DEF_(?P=upper)\n(?P<definition>.*?)"
                  r"#undef GEN_PASS_DEF_(?P=upper)\n#endif", re.DOTALL)


def main():
    source, folder = map(pathlib.Path, sys.argv[1:])
    found = list(PASS.finditer(source.read_text()))
    if not found:
        sys.exit(f"{source}: no pass as mlir-tblgen -gen-pass-decls writes it")
    for match in found:
        name = re.search(r"class (\w+)Base :", match["definition"]).group(1)
        text = match["declaration"] + match["definition"]
        path = folder / f"{name}.h.inc"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


if __name__ == "__main__":
    main()
