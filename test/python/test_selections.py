# SPDX-License-Identifier: Apache-2.0
"""TopK: which elements come first. The order of equal elements is the operator's
text's ("the element with the lower index will appear first"), by numpy's stable
sort; onnx's evaluator has another one in descending order."""
import numpy as np
import pytest

from test_operators import F32, Case, check_case, floats


def first(x, count, axis=-1, largest=1):
    """Values and indices; NaN is the greatest."""
    flipped = np.flip(x, axis) if largest else x
    order = np.argsort(flipped, axis, kind="stable")
    if largest:
        order = np.flip(x.shape[axis] - 1 - order, axis)
    order = order.take(np.arange(count), axis)
    return np.take_along_axis(x, order, axis), order


def top_k(shape, count, values=floats, opset=24, tag="", **attributes):
    def make(rng):
        return [values(rng, shape), np.array([count])]

    def expected(x, _):
        kept = {k: v for k, v in attributes.items() if k != "sorted"}
        return first(x, count, **kept)

    name = "-".join([str(shape), str(count),
                     *(f"{k}={v}" for k, v in attributes.items()), tag])
    return Case("TopK", make, attributes, bound=(1,), outputs=2, opset=opset,
                rtol=0, tag=name, expected=expected)


def ties(rng, shape):
    return rng.integers(-2, 3, shape).astype(F32)


def unordered(rng, shape):
    x = ties(rng, shape)
    x[rng.random(shape) < .2] = np.nan
    return x


def bytes_(rng, shape):
    return rng.integers(0, 256, shape).astype(np.uint8)


def words(rng, shape):
    return rng.integers(-2**63, 2**63 - 1, shape)


CASES = [
    *(top_k((3, 20, 4), k, axis=a, largest=l)
      for k, a in ((1, 2), (3, 0), (16, 1), (17, 1), (20, 1)) for l in (0, 1)),
    top_k((7,), 7, sorted=0), top_k((1,), 1), top_k((4, 1), 1, axis=1),
    top_k((4, 5), 0), top_k((0, 5), 2), top_k((5,), 2, opset=11),
    *(top_k((5, 40), k, values, tag=values.__name__, largest=l)
      for k in (5, 33) for values in (ties, unordered, bytes_, words)
      for l in (0, 1)),
    # One row and one element: the search is a step that gives a scalar.
    *(top_k(s, k, v, axis=a, largest=l, tag=v.__name__)
      for s, a in (((10,), 0), ((1, 10), 1), ((10, 1), 0), ((1, 2), 1))
      for k in (1, 2) for v in (floats, unordered, bytes_, words)
      for l in (0, 1)),
    top_k((33,), 31, lambda r, s: floats(r, s).astype(np.float16), tag="half"),
    top_k((33,), 31, lambda r, s: floats(r, s).astype(np.float64), tag="double"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_top_k(case):
    check_case(case)
