# SPDX-License-Identifier: Apache-2.0
"""Networks in which 8 bits of one tensor are enough for the tensor, and far too
few for what is made of it."""
import numpy as np

random = np.random.default_rng(5)


def values(array):
    return "{" + ", ".join(repr(float(v)) for v in np.ravel(array)) + "}"


def constant(name, array):
    array = np.asarray(array, np.float32)
    shape = "[" + ",".join(map(str, array.shape)) + "]" if array.ndim else ""
    return f"float{shape} {name} = {values(array)}"


def graph(inputs, outputs, constants, body):
    return f"""<ir_version: 9, opset_import: ["" : 18]>
    g ({inputs}) => ({outputs}) <{", ".join(constants)}> {{ {body} }}"""


def distances(tail, output):
    """|x|^2 - 2xc + |c|^2 of centres that lie far from zero."""
    c = np.array([[12, 13, 11, 420], [13, 12, 12, 700], [11, 12, 13, 1050],
                  [12, 11, 12, 1400]], np.float32)
    x = np.column_stack([random.normal(size=(32, 3)) * 2 + 12,
                         random.uniform(300, 1600, 32)]).astype(np.float32)
    x[:4] = c + np.float32(1)
    model = graph("float[1,4] x", output,
                  [constant("c", c), constant("cc", (c ** 2).sum(1)),
                   constant("scale", -1e-5), "int64[1] last = {1}"],
                  f"""xx = ReduceSumSquare <keepdims = 1> (x, last)
      g = Gemm <alpha = -2.0, transB = 1> (x, c, xx)
      d = Add (g, cc)
      {tail}""")
    return model, {"x": x[:, None]}


def case_root_of_a_difference():
    model, inputs = distances("y = Sqrt (d)", "float[1,4] y")
    return model, inputs, {"says": ["kept float: '.*Gemm.*'"]}


def case_density_of_a_difference():
    model, inputs = distances("""e = Mul (d, scale) y = Exp (e)""",
                              "float[1,4] y")
    return model, inputs, {}


def spectrum(tail, output):
    """Products with waves, their energies, a function, a convolution: quiet
    bands beside loud ones."""
    samples, length, bands = 16, 256, 32
    t = np.arange(length)
    window = np.hanning(length)
    waves = [f(2 * np.pi * t * k / length) * window
             for f in (np.cos, np.sin) for k in range(1, bands + 1)]
    loud = 10 ** -np.linspace(0, 2.5, bands)
    x = sum(a * np.sin(2 * np.pi * t * (k + 1) / length +
                       random.uniform(0, 6, (samples, 1)))
            for k, a in enumerate(loud))
    x = (x * 10 ** random.uniform(-1, 0, (samples, 1)))[:, None]
    w = np.stack(waves, 1)
    model = graph(f"float[1,{length}] x", output,
                  [constant("re", w[:, :bands]), constant("im", w[:, bands:]),
                   constant("least", 1e-6), constant("third", 0.33),
                   constant("v", random.normal(size=(bands, 8)) * .2)],
                  f"""a = MatMul (x, re) b = MatMul (x, im)
      aa = Mul (a, a) bb = Mul (b, b) p = Add (aa, bb)
      {tail}""")
    return model, {"x": x.astype(np.float32)}


def case_logarithm_of_an_energy():
    model, inputs = spectrum("""q = Add (p, least) l = Log (q)
      y = MatMul (l, v)""", "float[1,8] y")
    return model, inputs, {"says": ["kept float"]}


def case_root_and_logarithm_of_an_energy():
    model, inputs = spectrum("""q = Add (p, least) m = Sqrt (q) l = Log (m)
      y = MatMul (l, v)""", "float[1,8] y")
    return model, inputs, {}


def case_power_of_an_energy():
    model, inputs = spectrum("""q = Add (p, least) l = Pow (q, third)
      y = MatMul (l, v)""", "float[1,8] y")
    return model, inputs, {}


def case_difference_of_like_values():
    """Two products of one tensor that nearly cancel."""
    w = random.normal(size=(16, 8))
    model = graph("float[1,16] x", "float[1,8] y",
                  [constant("w", w),
                   constant("v", w + .01 * random.normal(size=w.shape))],
                  "a = MatMul (x, w) b = MatMul (x, v) y = Sub (a, b)")
    x = random.normal(size=(16, 1, 16)).astype(np.float32)
    return model, {"x": x}, {"says": ["kept float"]}


def case_one_huge_row():
    model = graph("float[1,16,64] x", "float[1,15,16] y",
                  [constant("w", random.normal(size=(64, 16)) * .2),
                   "int64[1] b = {1}", "int64[1] e = {16}", "int64[1] a = {1}"],
                  "o = MatMul (x, w) y = Slice (o, b, e, a)")
    x = random.normal(size=(32, 1, 16, 64)).astype(np.float32)
    x[:, :, 0, [5, 30]] = [400, -350]
    return model, {"x": x}, {"least": 35, "says": [
        "rows rounded at run time, .* 'MatMul_0'"]}


def case_nothing_is_lost():
    """Plain layers stay in integers."""
    model = graph("float[1,16] x", "float[1,4] y",
                  [constant("w", random.normal(size=(16, 16)) * .3),
                   constant("v", random.normal(size=(16, 4)) * .3)],
                  """a = MatMul (x, w) b = Sigmoid (a) c = Mul (a, b)
      d = MatMul (c, v) y = Softmax (d)""")
    x = random.normal(size=(16, 1, 16)).astype(np.float32)
    return model, {"x": x}, {"silent": ["kept float", "warning"]}
