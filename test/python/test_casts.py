# SPDX-License-Identifier: Apache-2.0
"""qg.cast between all element types: float to integer truncates and saturates
(NaN gives 0), integer to integer wraps, narrow floats go through f32."""
import numpy as np
import pytest

from modules import run_op

FLOATS = {"f16": np.float16, "bf16": np.uint16, "f32": np.float32,
          "f64": np.float64}
INTEGERS = {"i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
            "ui8": np.uint8, "ui16": np.uint16, "ui32": np.uint32,
            "ui64": np.uint64}
TYPES = [*FLOATS, *INTEGERS, "i1"]

ml_dtypes = pytest.importorskip("ml_dtypes")
NUMPY = {**FLOATS, **INTEGERS, "bf16": ml_dtypes.bfloat16, "i1": np.bool_}

SPECIAL = [0.0, -0.0, 0.5, -0.5, 0.99, -0.99, 1.5, -1.5, 2.5, 127.0, 127.9,
           128.0, -128.0, -128.9, -129.0, 255.0, 255.9, 256.0, 32767.0, 32768.0,
           -32768.0, 65504.0, 65519.0, 65520.0, 65535.0, 65536.0, 1e9,
           2147483520.0, 2147483648.0, -2147483648.0, 4294967040.0, 4294967296.0,
           9.2e18, 9223372036854775808.0, -9223372036854775808.0, 1.8e19,
           18446744073709551616.0, 1e30, -1e30, 1e-8, 6e-8, 5.9e-8, 1e-40, 3e38,
           float("inf"), float("-inf"), float("nan"), 1.0 + 2.0**-8,
           1.0 + 3 * 2.0**-8, 1.0 + 2.0**-11, 1.0 + 3 * 2.0**-11,
           1.0 + 2.0**-24 + 2.0**-40]


def make_values(element):
    kind = NUMPY[element]
    if element == "i1":
        return np.array([True, False, True])
    if element in FLOATS:
        with np.errstate(all="ignore"):
            values = np.array(SPECIAL, np.float64)
            if element != "f64":
                values = values.astype(np.float32)
            return values.astype(kind)
    info = np.iinfo(kind)
    edges = [info.min, info.min + 1, -129, -128, -1, 0, 1, 127, 128, 129, 255,
             256, 2049, 2051, 32768, 65520, 65536, 2**24 + 1, 2**24 + 3,
             2**30 + 2**22 + 1, info.max - 1, info.max]
    return np.array([v for v in edges if info.min <= v <= info.max], kind)


def convert(x, source, target):
    kind = NUMPY[target]
    if target == source:
        return x
    if target == "i1":
        return x.astype(np.float64) != 0 if source in FLOATS else x != 0
    if target in FLOATS:
        with np.errstate(all="ignore"):
            if target == "f64":
                return x.astype(np.float64)
            return x.astype(np.float32).astype(kind)
    info = np.iinfo(kind)
    if source not in FLOATS:
        mask = (1 << info.bits) - 1
        bits = [int(v) & mask for v in x]
        return np.array([b - (1 << info.bits) if b > info.max else b
                         for b in bits], kind)
    wide = [float(v) for v in x.astype(np.float64)]
    return np.array([0 if v != v else
                     info.max if v >= info.max else
                     info.min if v <= info.min else int(v) for v in wide], kind)


@pytest.mark.parametrize("source", TYPES)
def test_casts(tmp_path, source):
    x = make_values(source)
    count = len(x)
    for target in TYPES:
        y = run_op(tmp_path, f"qg.cast %a0 : tensor<{count}x{source}> -> "
                   f"tensor<{count}x{target}>", [(x, source)],
                   [((count,), target)])
        want = convert(x, source, target)
        assert y.dtype == want.dtype
        if target in FLOATS:
            both = np.isnan(y) & np.isnan(want)
            zero = np.zeros((), y.dtype)
            y, want = np.where(both, zero, y), np.where(both, zero, want)
        assert y.tobytes() == want.tobytes(), \
            f"{source} to {target}: {x} gives {y}, expected {want}"
