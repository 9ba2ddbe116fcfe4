"""A network of fxp with weights of some bits: bit_kernels.py BITS [odd|even].

Convolution, depthwise and grouped convolution, pointwise and dense layers, with
scales by channel; `odd` has extents that leave a rest in every loop, `even`
those that have none. Weights of 8 bits are the same network with bytes.
"""
import sys

import numpy as np

bits, sizes = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "odd"
rng = np.random.default_rng(bits)
side, planes = {"odd": (9, (5, 22, 33, 44, 21)),
                "even": (16, (32, 64, 64, 64, 32))}[sizes]
low, high = -(1 << bits - 1), (1 << bits - 1) - 1
if bits == 1:
    low, high = -1, 1
lines = []


def constant(name, array):
    data = array.astype("<i1" if array.dtype == np.int8 else "<i4").tobytes()
    element = "i8" if array.dtype == np.int8 else "i32"
    shape = "x".join(map(str, array.shape))
    lines.append(f'  %{name} = qg.constant dense<"0x{data.hex().upper()}"> : '
                 f"tensor<{shape}x{element}> -> tensor<{shape}x{element}>")
    return f"tensor<{shape}x{element}>"


def weights(shape):
    values = rng.integers(low, high + 1, shape)
    return (values | 1 if bits == 1 else values).astype(np.int8)


def requantize(name, shape, channels, depth):
    scale = 40 / (np.sqrt(depth) * 60 * max(high, 1) / 1.7)
    scales = ", ".join(f"{s:.7e}"
                       for s in scale * rng.uniform(0.7, 1.4, channels))
    lines.append(
        f"  %{name} = fxp.requantize %{name}s scales dense<[{scales}]> : "
        f"tensor<{channels}xf32> x_zp 0 zp -3 clamp [-128, 127] mode "
        f"<fixed, 31> : tensor<{shape}xi32> -> tensor<{shape}xi8>")


def conv(name, x, extents, outputs, kernel, groups=1, stride=1):
    h, c = extents
    pad = kernel // 2
    w = constant(f"{name}w", weights((outputs, kernel, kernel, c // groups)))
    b = constant(f"{name}b", rng.integers(-2000, 2000, outputs, np.int32))
    out = (h + 2 * pad - kernel) // stride + 1
    shape = f"1x{out}x{out}x{outputs}"
    lines.append(
        f"  %{name}s = fxp.conv %{x}, %{name}w, %{name}b strides [{stride}, "
        f"{stride}] pads [{pad}, {pad}, {pad}, {pad}] dilations [1, 1] groups "
        f"{groups} x_zp {3 if x == 'x' else -3} {attributes}: "
        f"(tensor<1x{h}x{h}x{c}xi8>, {w}, {b}) -> tensor<{shape}xi32>")
    requantize(name, shape, outputs, kernel * kernel * c // groups)
    return name, (out, outputs)


attributes = f"{{fxp.weight_bits = {bits} : i64}} " if bits in (5, 6, 7) else ""
x, at = "x", (side, planes[0])
x, at = conv("a", x, at, planes[1], 3, stride=2)
x, at = conv("d", x, at, planes[1], 3, groups=planes[1])
x, at = conv("p", x, at, planes[2], 1)
x, at = conv("q", x, at, planes[3], 1)
x, at = conv("g", x, at, planes[3], 3, groups=11 if sizes == "odd" else 8)
count = at[0] * at[0] * at[1]
lines.append(f"  %f = qg.reshape %{x} : tensor<1x{at[0]}x{at[0]}x{at[1]}xi8> -> "
             f"tensor<1x{count}xi8>")
w = constant("mw", weights((planes[4], count)))
b = constant("mb", rng.integers(-2000, 2000, planes[4], np.int32))
lines.append(f"  %ms = fxp.matmul %f, %mw, %mb lhs_zp -3 rhs_zp 0 transpose_rhs "
             f"{attributes}: (tensor<1x{count}xi8>, {w}, {b}) -> "
             f"tensor<1x{planes[4]}xi32>")
requantize("m", f"1x{planes[4]}", planes[4], count)
body = "\n".join(lines)
print(f'''func.func @main(%x: tensor<1x{side}x{side}x{planes[0]}xi8> {{qg.name = "x",
    qg.encoding = !qg.q<si8, 0.5 : 3>}})
    -> (tensor<1x{planes[4]}xi8> {{qg.name = "y", qg.encoding = !qg.q<si8, 0.5 : -3>}}) {{
{body}
  return %m : tensor<1x{planes[4]}xi8>
}}''')
