#!/usr/bin/env bash
# IntQuant with a width of 1 in qonnx 1.0.0: a signed bit of two's complement holds -1 and
# 0, and the operator's range formula says so; its implementation gives -1 and 1 instead,
# by the sign of x / scale + zero point, and then takes the zero point off: with a zero
# point of 1 the results are -2 and 0. An unsigned bit is 0 and 1; with narrow=1 nothing
# but 0 is left. A bit of one file is therefore one of three alphabets.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check qonnx==1.0.0
"$work/venv/bin/python" - <<'END'
import numpy as np
from qonnx.custom_op.general.intquant import int_quant, max_int, min_int

x = np.array([-3, -1.2, -0.6, -0.2, 0, 0.2, 0.6, 1.2, 3], np.float32)
expected = {(1, 0, 0): {-1, 1}, (1, 0, 1): {-2, 0}, (0, 0, 0): {0, 1}, (0, 1, 0): {0}}
for (signed, narrow, zero), levels in expected.items():
    y = int_quant(x, np.float32(1), np.float32(zero), np.float32(1), signed, narrow,
                  "ROUND")
    print("signed", signed, "narrow", narrow, "zero point", zero, "range",
          int(min_int(signed, narrow, 1)), int(max_int(signed, narrow, 1)), "results",
          y.tolist())
    assert set(y.tolist()) == levels
assert (min_int(True, False, 1), max_int(True, False, 1)) == (-1, 0)
END
