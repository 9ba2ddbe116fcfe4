"""edit_manifest.py FILE STATEMENT: runs it on the manifest `m`."""
import json
import sys

with open(sys.argv[1]) as file:
    m = json.load(file)
exec(sys.argv[2])
with open(sys.argv[1], "w") as file:
    json.dump(m, file)
