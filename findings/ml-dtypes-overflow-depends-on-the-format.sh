#!/usr/bin/env bash
# ml_dtypes 0.6.0 has three rules for what does not fit, by format. 4- and 6-bit
# floats saturate, infinity included, and make NaN a negative zero, so that a NaN
# leaves no trace; float8_e4m3fn and the fnuz formats make NaN of everything too
# large, infinity included; integers of 4 and 2 bits keep their low bits (8 is -8).
# Quantizers that are tried on one of them and moved to another change meaning.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  ml_dtypes==0.6.0 numpy==2.4.6
"$work/venv/bin/python" - <<'END'
import ml_dtypes
import numpy as np

x = np.array([1e9, np.inf, -np.inf, np.nan], np.float32)
seen = {}
for name in ("float4_e2m1fn", "float6_e2m3fn", "float8_e4m3fn",
             "float8_e4m3fnuz", "float8_e5m2"):
    seen[name] = x.astype(getattr(ml_dtypes, name)).astype(np.float32)
    print(name, seen[name].tolist())
assert seen["float4_e2m1fn"][:3].tolist() == [6, 6, -6]
assert seen["float6_e2m3fn"][:3].tolist() == [7.5, 7.5, -7.5]
for name in ("float4_e2m1fn", "float6_e2m3fn"):
    assert seen[name][3] == 0 and np.signbit(seen[name][3])
assert np.isnan(seen["float8_e4m3fn"]).all()
assert np.isnan(seen["float8_e4m3fnuz"]).all()
assert np.isinf(seen["float8_e5m2"][:3]).all()
numbers = np.array([7, 8, 9, 17], np.float32)
integers = numbers.astype(ml_dtypes.int4).astype(np.int32)
print("int4", integers.tolist())
assert integers.tolist() == [7, -8, -7, 1]
END
