"""What a plan says that its target holds, and what the object holds.

check_storage.py FORMATS_DEF MODEL DATA FOLDER [GROUP [TARGET]]: every row of
Formats.def that weights can have, everywhere in MODEL; with TARGET those with a
table. Prints the bytes of the formats that are compared with others.
"""
import json
import pathlib
import re
import subprocess
import sys

rows, model, data, folder = sys.argv[1:5]
group = sys.argv[5] if len(sys.argv) > 5 else ""
target = sys.argv[6] if len(sys.argv) > 6 else ""
folder = pathlib.Path(folder)
text = pathlib.Path(rows).read_text()
formats = [name for name, bits in re.findall(
    r"^QOPT_INTEGER_FORMAT\((\w+), (\d+)", text, re.M) if 2 <= int(bits) <= 8]
tables = re.findall(r"^QOPT_(?:TABLE_FORMAT|LEVELS)\((\w+)", text, re.M)
assert len(formats) >= 14 and len(tables) >= 7, (formats, tables)
formats = ["si4", *tables] if target else formats + tables
to = ["--target", target] if target else []
if group and not target:
    # Refused: bytes minus the zero points of some groups are no bytes.
    formats.remove("ui8")
formats = [name + group for name in formats]

plan = folder / "storage.json"
subprocess.run(["qopt", "plan", model, "--data", data, "--budget", "size=1x",
                "--formats", ",".join(formats), "--plan-samples", "2", "--rounds", "0",
                "--rounding", "nearest", "--sensitivity", "weight-error",
                "-q", "--progress", "none", "-o", plan, *to],
               check=True, stdout=subprocess.DEVNULL)
plan = json.loads(plan.read_text())
counted = {point["name"]: point["used"]["size"] for point in plan["uniform"]}
held = {}
for name in formats:
    stem = folder / name.replace(":", "-")
    subprocess.run(["qopt", "compile", model, "--data", data, "--scheme",
                    "w4a8", "--weights", name, "--rounding", "nearest",
                    "--transforms", "none", "-O0", "-q", "-o", stem, *to],
                   check=True)
    manifest = json.loads(
        (stem.with_name(stem.name + ".qopt") / "manifest.json").read_text())
    held[name] = manifest["weights_bytes"]
    if abs(counted[name] - held[name]) > 0.01 * held[name]:
        print(f"{name}: {counted[name]} bytes counted, {held[name]} held")
# Elsewhere a table may take a line of its own.
for name in [] if target else ["nf4", "lut4"]:
    if held[name + group] > 1.15 * held["si4" + group]:
        print(f"{name}: {held[name + group]} bytes, si4 {held['si4' + group]}")
print(len(formats), "formats:", " ".join(f"{k}={v}" for k, v in held.items()))
