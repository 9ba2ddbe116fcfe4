# SPDX-License-Identifier: Apache-2.0
"""Networks whose inner tensors are infinite or NaN on ordinary data, and masks
of large finite numbers, which are meant to be infinite."""
import numpy as np

random = np.random.default_rng(11)
SEQUENCE, WIDTH = 6, 8


def values(array):
    """Of a constant in ONNX's textual syntax."""
    def word(v):
        return "-inf" if v == -np.inf else repr(float(v))
    return "{" + ", ".join(word(v) for v in np.ravel(array)) + "}"


def constant(name, array):
    shape = ",".join(map(str, array.shape))
    return f"float[{shape}] {name} = {values(array.astype(np.float32))}"


def attention(mask, mask_input="", extra=(), heads=1):
    """Scores, a mask by the lines `mask` from s to m, softmax to p0."""
    weight = random.normal(size=(WIDTH, WIDTH)) * .3
    constants = ", ".join([constant("w", weight), *extra])
    shape = f"[1,{SEQUENCE},{WIDTH}]"
    return f"""<ir_version: 9, opset_import: ["" : 18]>
    g (float{shape} x{mask_input}) => (float{shape} y)
    <{constants}>
    {{
      k = MatMul (x, w)
      t = Transpose <perm = [0, 2, 1]> (k)
      s = MatMul (x, t)
      {mask}
      y = MatMul (p, x)
    }}"""


def tokens(samples=16):
    shape = (samples, 1, SEQUENCE, WIDTH)
    return random.normal(size=shape).astype(np.float32)


def triangle(low):
    allowed = np.tril(np.ones((SEQUENCE, SEQUENCE)))
    return np.where(allowed, 0, low)[None]


SOFTMAX = "p = Softmax <axis = -1> (m)"


def case_mask_added_by_a_constant():
    model = attention(f"m = Add (s, mask) {SOFTMAX}",
                      extra=[constant("mask", triangle(-np.inf))])
    return model, {"x": tokens()}, {
        "says": [r"not finite in the samples, float: '.*' \(240 of 576 values"]}


def case_mask_is_an_input_with_infinities():
    model = attention(f"m = Add (s, mask) {SOFTMAX}",
                      f", float[1,{SEQUENCE},{SEQUENCE}] mask")
    mask = np.repeat(triangle(-np.inf)[None], 16, 0).astype(np.float32)
    return model, {"x": tokens(), "mask": mask}, {}


def case_rows_masked_as_a_whole_are_nan_until_replaced():
    model = attention("""m = Where (mask, s, low) p0 = Softmax <axis = -1> (m)
      n = IsNaN (p0) p = Where (n, zero, p0)""",
                      f", bool[1,{SEQUENCE},{SEQUENCE}] mask",
                      ["float low = {-inf}", "float zero = {0}"])
    mask = np.ones((16, 1, SEQUENCE, SEQUENCE), bool)
    mask[:, :, 3] = False
    return model, {"x": tokens(), "mask": mask}, {"says": ["with NaN"]}


def case_mask_of_minus_1e9():
    model = attention(f"m = Add (s, mask) {SOFTMAX}",
                      extra=[constant("mask", triangle(-1e9))])
    return model, {"x": tokens()}, {"silent": ["not finite"]}


def case_mask_of_the_least_float():
    model = attention(f"m = Where (mask, s, low) {SOFTMAX}",
                      f", bool[1,{SEQUENCE},{SEQUENCE}] mask",
                      ["float low = {-3.4028235e38}"])
    mask = np.repeat(np.tril(np.ones((1, 1, SEQUENCE, SEQUENCE), bool)), 16, 0)
    return model, {"x": tokens(), "mask": mask}, {}


def case_mask_made_of_ones_and_zeros():
    model = attention(f"""c = Sub (one, mask) b = Mul (c, low)
      m = Add (s, b) {SOFTMAX}""",
                      f", float[1,{SEQUENCE},{SEQUENCE}] mask",
                      ["float one = {1}", "float low = {-65504}"])
    mask = np.repeat(np.tril(np.ones((1, 1, SEQUENCE, SEQUENCE))), 16, 0)
    return model, {"x": tokens(), "mask": mask.astype(np.float32)}, {}


def case_softmax_by_its_parts():
    model = attention("""m = Add (s, mask)
      h = ReduceMax <keepdims = 1> (m, last) d = Sub (m, h) e = Exp (d)
      z = ReduceSum <keepdims = 1> (e, last) r = Reciprocal (z)
      p = Mul (e, r)""", extra=[constant("mask", triangle(-np.inf)),
                                "int64[1] last = {-1}"])
    return model, {"x": tokens()}, {}


def case_weights_on_what_is_infinite():
    """The quotient is infinite where x is 0; a product reads its inverse."""
    weight = constant("w", random.normal(size=(WIDTH, 3)))
    model = f"""<ir_version: 9, opset_import: ["" : 18]>
    g (float[1,{WIDTH}] x) => (float[1,{WIDTH}] q, float[1,3] y)
    <{weight}, float one = {{1}}>
    {{
      q = Div (one, x)
      r = Div (one, q)
      y = MatMul (r, w)
    }}"""
    x = random.normal(size=(16, 1, WIDTH)).astype(np.float32)
    x[3, 0, 2] = 0
    return model, {"x": x}, {}


def case_a_product_that_overflows():
    weight = constant("w", np.abs(random.normal(size=(WIDTH, 3))) * 1e30)
    model = f"""<ir_version: 9, opset_import: ["" : 18]>
    g (float[1,{WIDTH}] x) => (float[1,3] y)
    <{weight}> {{ y = MatMul (x, w) }}"""
    x = np.abs(random.normal(size=(16, 1, WIDTH))).astype(np.float32)
    x[::2] *= 1e12
    return model, {"x": x}, {}
