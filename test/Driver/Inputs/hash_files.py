"""Prints the names and hashes of all files below a folder."""
import hashlib
import pathlib
import sys

root = pathlib.Path(sys.argv[1])
for path in sorted(root.rglob("*")):
    if path.is_file() and path.name != ".qopt-files":
        print(path.relative_to(root), hashlib.sha256(path.read_bytes()).hexdigest())
