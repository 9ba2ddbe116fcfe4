#!/usr/bin/env bash
# The node tests that conformance is measured with are no files of expected values:
# onnx 1.23.2 computes them when they are collected, by whatever ml_dtypes is there.
# Out of range, ml_dtypes 0.6.0 wraps floats cast to int4 (8 is -8, -9 is 7), 0.7.0
# gives 0. So 40 tests of Cast to and from 4 and 2 bits (and those of CastLike) expect
# other numbers after an update of a package that nobody names, and the same runtime
# passes or fails.
# Integers cast to int4 wrap in both.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for version in 0.6.0 0.7.0; do
  python3 -m venv "$work/$version"
  "$work/$version/bin/pip" install --quiet --disable-pip-version-check \
    onnx==1.23.2 ml_dtypes==$version numpy==2.4.6
  "$work/$version/bin/python" -W ignore - > "$work/$version.txt" <<'END'
import hashlib

from onnx.backend.test.case.node import collect_testcases

for case in collect_testcases("Cast") + collect_testcases("CastLike"):
    for _, outputs in case.data_sets or []:
        text = b"".join(t.SerializeToString() for t in outputs)
        print(case.name, hashlib.sha256(text).hexdigest())
END
done
differ=$({ diff "$work/0.6.0.txt" "$work/0.7.0.txt" || true; } | grep "^<" | cut -d" " -f2)
count=$(wc -l <<<"$differ")
echo "$count node tests expect other values with ml_dtypes 0.7.0 than with 0.6.0:"
printf '%s\n' "$differ"
grep -qx test_cast_FLOAT_to_INT4 <<<"$differ"
for version in 0.6.0 0.7.0; do
  "$work/$version/bin/python" -W ignore - <<'END'
import ml_dtypes
import numpy as np

values = np.float32([7, 8, -9]).astype(ml_dtypes.int4).astype(int).tolist()
print(f"ml_dtypes {ml_dtypes.__version__}: int4 of 7, 8 and -9 is {values}")
assert values == {"0.6.0": [7, -8, 7], "0.7.0": [7, 0, 0]}[ml_dtypes.__version__]
END
done
