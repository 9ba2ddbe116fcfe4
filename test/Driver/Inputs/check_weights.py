"""check_weights.py STEM: the file of weights against its layout, the manifest
and the C header."""
import hashlib
import json
import re
import struct
import sys

stem = sys.argv[1]
data = open(stem + ".weights", "rb").read()
record = json.load(open(stem + ".qopt/manifest.json"))["weights"]
header = open(stem + ".h").read()
magic, version, offset, length, alignment, zero = struct.unpack(
    "<8sIIQII", data[:32])
assert (magic, version, offset, alignment, zero) == (b"QOPTWTS\0", 1, 4096, 64,
                                                     0)
payload = data[offset:]
digest = hashlib.sha256(payload).hexdigest()
assert data[32:64].hex() == digest == record["sha256"]
assert not any(data[64:offset])
assert length == len(payload) == record["bytes"]
assert record["file"] == ".weights"
assert re.search(r"WEIGHTS_BYTES (\d+)", header)[1] == str(length)
assert re.search(r'WEIGHTS_ID \\\n  "(\w+)"', header)[1] == digest
assert payload[:64] not in open(stem + ".o", "rb").read()
print("bytes as in header and manifest, hash right, data at 4096")
