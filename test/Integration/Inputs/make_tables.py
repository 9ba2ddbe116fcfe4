"""low_bit_kernels.mlir with weights out of a table: make_tables.py FILE BITS.

A code takes the place of every weight of 4 bits; levels are bytes at growing
distances, both ends among them, and 0 only where BITS is odd.
"""
import re
import sys

text, bits = open(sys.argv[1]).read(), int(sys.argv[2])
count = 1 << bits
levels = [round(-128 + 255 * (i / (count - 1)) ** 1.3) for i in range(count)]
if bits % 2:
    levels[count // 2] = 0
weights = set()


def replace(match):
    name, digits = match.groups()
    values = [(byte ^ 128) - 128 for byte in bytes.fromhex(digits)]
    if min(values) < -8 or max(values) > 7:
        return match[0]
    weights.add(name)
    coded = [levels[(value + 8 + 16 * (i % 5)) % count] & 255
             for i, value in enumerate(values)]
    return f'%{name} = qg.constant dense<"0x{bytes(coded).hex().upper()}">'


text = re.sub(r'%(w\w+) = qg.constant dense<"0x(\w+)">', replace, text)
attribute = f'{{fxp.levels = array<i8: {", ".join(map(str, levels))}>}}'
lines = []
for line in text.splitlines():
    match = re.search(r"= fxp\.(?:conv|matmul) %\w+, %(\w+),", line)
    if match and match[1] in weights:
        line = line.replace(" : (tensor", f" {attribute} : (tensor", 1)
    # Levels are about sixteen times as large as weights of 4 bits.
    if "fxp.requantize %a" in line and "scales dense<0.0" in line:
        line = line.replace("dense<0.0", "dense<0.00")
    lines.append(line)
print("\n".join(lines))
