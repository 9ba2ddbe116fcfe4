# SPDX-License-Identifier: Apache-2.0
"""Ordinary networks: three or more of each kind that a target without floats
has to take, and whole ones. Each function writes one into a Net."""
import numpy as np

from graph import QONNX, Net

NETWORKS = {}


def network(function):
    NETWORKS[function.__name__.replace("__", "/").replace("_", "-")] = function
    return function


def variants(**rows):
    """One function for several networks: NAME=arguments."""
    def add(function):
        for name, arguments in rows.items():
            def write(n, arguments=arguments):
                if isinstance(arguments, dict):
                    return function(n, **arguments)
                return function(n, *arguments)
            base = function.__name__.replace("__", "/").replace("_", "-")
            NETWORKS[f"{base}-{name.replace('_', '-')}"] = write
        return function
    return add


def stem(n, channels=4, size=8):
    return n.relu(n.conv(n.input([1, 3, size, size]), 3, channels))


# --- ends ------------------------------------------------------------------

@network
def ends__conv(n):
    n.output(n.conv(stem(n), 4, 2, bias=False))


@network
def ends__conv_1d(n):
    n.output(n.conv(n.relu(n.conv(n.input([1, 3, 16]), 3, 4, rank=1)), 4, 2,
                    rank=1))


@network
def ends__flatten(n):
    n.output(n.flat(n.conv(stem(n), 4, 2)))


@network
def ends__global_pool(n):
    n.output(n.flat(n.op("GlobalAveragePool", n.conv(stem(n), 4, 6))))


@network
def ends__conv_transpose(n):
    n.output(n.conv(stem(n), 4, 2, kernel=2, pad=0, stride=2,
                    op="ConvTranspose"))


@network
def ends__conv_transpose_kernel_3(n):
    n.output(n.conv(stem(n), 4, 3, kernel=3, pad=1, stride=2,
                    op="ConvTranspose", output_padding=[1, 1]))


@network
def ends__concat(n):
    x = stem(n)
    n.output(n.op("Concat", n.conv(x, 4, 2), n.conv(x, 4, 3, kernel=1), axis=1))


@network
def ends__depth_to_space(n):
    n.output(n.op("DepthToSpace", n.conv(stem(n), 4, 12), blocksize=2))


@variants(relu=("Relu",), tanh=("Tanh",), sigmoid=("Sigmoid",),
          hard_sigmoid=("HardSigmoid",), leaky_relu=("LeakyRelu",))
def ends__activation(n, kind):
    n.output(n.op(kind, n.conv(stem(n), 4, 2)))


@network
def ends__add(n):
    x = stem(n)
    n.output(n.op("Add", n.conv(x, 4, 4), x))


@network
def ends__resize(n):
    n.output(n.op("Resize", n.conv(stem(n), 4, 2), "",
                  n.constant([1, 1, 2, 2]), mode="nearest",
                  coordinate_transformation_mode="asymmetric",
                  nearest_mode="floor"))


@variants(softmax=("Softmax", -1), log_softmax=("LogSoftmax", -1))
def ends__classes(n, kind, axis):
    n.output(n.op(kind, n.dense(n.flat(stem(n)), 256, 10), axis=axis))


@network
def ends__softmax_over_channels(n):
    n.output(n.op("Softmax", n.conv(stem(n), 4, 5), axis=1))


@network
def ends__two_results_one_read_on(n):
    x = stem(n)
    n.output(x)
    n.output(n.dense(n.flat(x), 256, 10))


@variants(itself=("Identity",), reshaped=("Flatten",), of_a_sum=("Relu",))
def ends__one_tensor_twice(n, kind):
    x = n.conv(stem(n), 4, 2)
    x = n.op("Add", x, x) if kind == "Relu" else x
    n.output(n.op("Identity", x))
    n.output(n.op(kind, x))


@network
def ends__input_given_back(n):
    x = n.qdq(n.input([1, 3, 8, 8]), 0.008)
    n.output(x)
    n.output(n.qdq(n.op("Conv", x, n.stored([4, 3, 3, 3], 0.004)), 0.02))


@variants(of_floats=([0.5, 1.5, 300.75], np.float32),
          of_numbers=([1, -2, 1 << 40], np.int64))
def ends__table_beside(n, values, dtype):
    n.output(n.dense(n.flat(stem(n)), 256, 10))
    n.output(n.op("Identity", n.constant(values, dtype)))


@variants(argmax=("ArgMax", 0), argmin=("ArgMin", 0), last_argmax=("ArgMax", 1))
def ends__label(n, kind, last):
    n.output(n.op(kind, n.dense(n.flat(stem(n)), 256, 10), axis=1, keepdims=0,
                  select_last_index=last))


@network
def ends__label_of_each_pixel(n):
    n.output(n.op("ArgMax", n.conv(stem(n), 4, 5), axis=1))


@variants(top_3=(3, 1, 1), top_1=(1, 1, 1), bottom_10=(10, 1, 0))
def ends__sorted(n, count, axis, largest):
    values, indices = n.op("TopK", n.dense(n.flat(stem(n)), 256, 10),
                           n.constant([count], np.int64), outputs=2, axis=axis,
                           largest=largest)
    n.output(values)
    n.output(indices)


@variants(of_256=(1 / 256, -128), of_255=(1 / 255, -128), of_127=(1 / 127, 0),
          unsigned=(1 / 255, 0, np.uint8))
def ends__stored_softmax(n, scale, zero, dtype=np.int8):
    x = n.qdq(n.input([1, 16]), 0.008)
    y = n.op("Gemm", x, n.stored([16, 6], 0.01))
    n.output(n.qdq(n.op("Softmax", n.qdq(y, 0.05), axis=-1), scale, zero,
                   dtype))


@network
def middle__stored_softmax(n):
    x = n.qdq(n.input([1, 5, 16]), 0.008)
    y = n.qdq(n.op("MatMul", x, n.stored([16, 6], 0.01)), 0.05)
    y = n.qdq(n.op("Softmax", y, axis=-1), 1 / 256, -128)
    n.output(n.qdq(n.op("MatMul", y, n.stored([6, 4], 0.01)), 0.02))


# --- beginnings ------------------------------------------------------------

def finish(n, x, channels=3):
    n.output(n.dense(n.flat(n.relu(n.conv(x, channels, 4))), 256, 5))


@network
def begins__image_bytes_divided(n):
    x = n.op("Cast", n.input([1, 3, 8, 8], 0, 256, np.uint8), to=1)
    finish(n, n.op("Div", x, n.constant(255.0)))


@network
def begins__image_bytes_centred(n):
    x = n.op("Cast", n.input([1, 3, 8, 8], 0, 256, np.uint8), to=1)
    finish(n, n.op("Mul", n.op("Sub", x, n.constant(128.0)),
                   n.constant(1 / 128)))


@network
def begins__signed_bytes(n):
    x = n.op("Cast", n.input([1, 3, 8, 8], -128, 128, np.int8), to=1)
    finish(n, n.op("Mul", x, n.constant(1 / 128)))


@network
def begins__mean_and_deviation(n):
    x = n.input([1, 3, 8, 8], 0, 255)
    mean = n.constant(np.float32([123.7, 116.3, 103.5]).reshape(1, 3, 1, 1))
    std = n.constant(np.float32([58.4, 57.1, 57.4]).reshape(1, 3, 1, 1))
    finish(n, n.op("Div", n.op("Sub", x, mean), std))


@network
def begins__normalization(n):
    finish(n, n.norm(n.input([1, 3, 8, 8]), 3))


@network
def begins__bytes_then_normalization(n):
    x = n.op("Cast", n.input([1, 3, 8, 8], 0, 256, np.uint8), to=1)
    finish(n, n.norm(n.op("Div", x, n.constant(255.0)), 3))


# --- middles ---------------------------------------------------------------

def rest(n, x, channels=4, size=8):
    n.output(n.dense(n.flat(n.relu(n.conv(x, channels, 4))), 4 * size * size, 5))


@network
def middle__relu_behind_max_pool(n):
    x = n.op("MaxPool", n.conv(n.input([1, 3, 8, 8]), 3, 4),
             kernel_shape=[2, 2], strides=[2, 2])
    rest(n, n.relu(x), size=4)


@network
def middle__relu_behind_average_pool(n):
    x = n.op("AveragePool", n.conv(n.input([1, 3, 8, 8]), 3, 4),
             kernel_shape=[2, 2], strides=[2, 2])
    rest(n, n.relu(x), size=4)


@network
def middle__clip_behind_concat(n):
    x = n.input([1, 3, 8, 8])
    y = n.op("Concat", n.conv(x, 3, 2), n.conv(x, 3, 2, kernel=1), axis=1)
    rest(n, n.op("Clip", y, n.constant(0.0), n.constant(6.0)))


@network
def middle__relu_behind_split(n):
    a, b = n.op("Split", n.conv(n.input([1, 3, 8, 8]), 3, 8), outputs=2, axis=1)
    rest(n, n.op("Add", n.relu(a), b))


@variants(leaky_relu=("LeakyRelu",), hard_swish=("HardSwish",), elu=("Elu",),
          sigmoid=("Sigmoid",), tanh=("Tanh",))
def middle__stored_activation(n, kind):
    x = n.qdq(n.input([1, 3, 8, 8]), 0.008)
    y = n.op("Conv", x, n.stored([4, 3, 3, 3], 0.004), pads=[1] * 4)
    y = n.qdq(n.op(kind, y), 0.02)
    n.output(n.qdq(n.op("Conv", y, n.stored([2, 4, 3, 3], 0.004)), 0.02))


@variants(nearest=("nearest", "asymmetric", {"nearest_mode": "floor"}),
          linear=("linear", "half_pixel", {}))
def middle__resize(n, mode, transform, more):
    x = n.op("Resize", stem(n), "", n.constant([1, 1, 2, 2]), mode=mode,
             coordinate_transformation_mode=transform, **more)
    rest(n, x, size=16)


@network
def middle__channel_gather(n):
    rest(n, n.op("Gather", stem(n), n.constant([2, 0, 3, 1], np.int64), axis=1))


@network
def middle__pad(n):
    x = n.op("Pad", stem(n), n.constant([0, 0, 1, 1, 0, 0, 1, 1], np.int64))
    n.output(n.conv(x, 4, 2, pad=0))


@network
def middle__conv_transpose(n):
    x = n.conv(stem(n), 4, 4, kernel=4, pad=1, stride=2, op="ConvTranspose")
    rest(n, n.relu(x), size=16)


@network
def middle__clip_on_stored(n):
    s, z = n.constant(np.float32(0.1)), n.constant(0, np.int8)
    x = n.op("QuantizeLinear", n.input([1, 3, 8, 8]), s, z)
    x = n.op("Clip", x, n.constant(0, np.int8), n.constant(7, np.int8))
    x = n.op("DequantizeLinear", x, s, z)
    n.output(n.qdq(n.op("Conv", x, n.stored([4, 3, 3, 3], 0.004)), 0.02))


@variants(mul=("Mul",), add=("Add",), prelu=("PRelu",))
def middle__channel_constant(n, kind):
    x = n.op("Tanh", n.conv(n.input([1, 3, 8, 8]), 3, 4)) \
        if kind != "PRelu" else n.conv(n.input([1, 3, 8, 8]), 3, 4)
    c = n.constant(n.random.uniform(0.1, 0.9, (4, 1, 1)))
    rest(n, n.op(kind, x, c))


@network
def middle__norm_behind_relu(n):
    rest(n, n.norm(stem(n), 4))


@network
def middle__norm_behind_concat(n):
    x = stem(n)
    y = n.op("Concat", x, n.relu(n.conv(x, 4, 4)), axis=1)
    rest(n, n.relu(n.norm(y, 8)), channels=8)


@network
def middle__one_channel_map(n):
    x = stem(n)
    rest(n, n.op("Mul", x, n.op("Sigmoid", n.conv(x, 4, 1))))


@network
def middle__squeeze_and_excite(n):
    x = stem(n, 8)
    s = n.op("GlobalAveragePool", x)
    s = n.relu(n.conv(s, 8, 2, kernel=1))
    s = n.op("HardSigmoid", n.conv(s, 2, 8, kernel=1))
    rest(n, n.op("Mul", x, s), channels=8)


@network
def middle__slice(n):
    x = n.op("Slice", stem(n), n.constant([1], np.int64),
             n.constant([7], np.int64), n.constant([2], np.int64))
    n.output(n.conv(x, 4, 2))


@network
def middle__split_channels(n):
    a, b = n.op("Split", stem(n), outputs=2, axis=1)
    rest(n, n.op("Concat", b, a, axis=1))


@network
def middle__tile(n):
    x = n.op("Tile", stem(n), n.constant([1, 1, 1, 2], np.int64))
    n.output(n.conv(x, 4, 2))


@network
def middle__expand(n):
    x = n.op("GlobalAveragePool", stem(n))
    n.output(n.conv(n.op("Expand", x, n.constant([1, 4, 8, 8], np.int64)), 4, 2))


@variants(pads={"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4},
          last={"kernel_shape": [2, 3], "strides": [2, 2], "pads": [0, 1, 0, 0],
                "ceil_mode": 1},
          wide={"kernel_shape": [5, 5], "strides": [2, 2], "pads": [2] * 4})
def middle__unequal_windows(n, **window):
    rest(n, n.op("AveragePool", stem(n), **window), size=4)


@network
def middle__unequal_windows_of_a_row(n):
    x = n.qdq(n.input([1, 4, 15]), 0.008)
    x = n.op("AveragePool", x, kernel_shape=[4], strides=[3], pads=[2, 0],
             ceil_mode=1)
    n.output(n.qdq(n.op("Conv", n.qdq(x, 0.007, 3), n.stored([3, 4, 2], 0.004)),
                   0.02))


@network
def middle__mean_of_one_axis(n):
    x = n.op("ReduceMean", stem(n), axes=[3], keepdims=0)
    n.output(n.dense(n.flat(x), 32, 5))


@network
def middle__reduce_max(n):
    x = n.op("ReduceMax", stem(n), axes=[2, 3], keepdims=0)
    n.output(n.dense(x, 4, 5))


@network
def middle__max_of_two(n):
    x = n.input([1, 3, 8, 8])
    rest(n, n.op("Max", n.conv(x, 3, 4), n.conv(x, 3, 4, kernel=1)))


@network
def middle__sum_read_by_two(n):
    x = n.qdq(n.input([1, 3, 8, 8]), 0.008)
    y = n.op("Conv", x, n.stored([4, 3, 3, 3], 0.004), pads=[1] * 4)
    a, b = n.qdq(y, 0.02), n.qdq(y, 0.05)
    n.output(n.qdq(n.op("Conv", a, n.stored([2, 4, 1, 1], 0.004)), 0.02))
    n.output(n.qdq(n.op("Conv", b, n.stored([2, 4, 1, 1], 0.004)), 0.02))


@network
def middle__sum_of_products(n):
    x = n.qdq(n.input([1, 3, 8, 8]), 0.008)
    a = n.op("Conv", x, n.stored([4, 3, 3, 3], 0.004), pads=[1] * 4)
    b = n.op("Conv", x, n.stored([4, 3, 1, 1], 0.004))
    n.output(n.qdq(n.op("Add", a, b), 0.03))


@variants(map=("Add", [1, 3, 8, 8]), channel=("Add", [3, 1, 1]),
          row=("Add", [1, 1, 1, 8]), factor=("Mul", [1, 1, 8, 1]),
          beside=("Concat", [1, 3, 8, 8]))
def middle__stored_constant(n, kind, shape):
    x = n.qdq(n.input([1, 3, 8, 8]), 0.008)
    c = n.stored(shape, 0.008 if kind == "Concat" else 0.005)
    if kind == "Concat":
        x = n.op("Slice", n.op("Concat", x, c, axis=1),
                 *(n.constant([i], np.int64) for i in (1, 4, 1)))
    else:
        x = n.qdq(n.op(kind, x, c), 0.015)
    n.output(n.qdq(n.op("Conv", x, n.stored([4, 3, 3, 3], 0.004)), 0.02))


@network
def middle__half(n):
    x = n.op("Cast", n.input([1, 8]), to=10)
    for i, width in enumerate((12, 4)):
        w = n.constant(n.normal(8 if i == 0 else 12, width, scale=0.3),
                       np.float16)
        x = n.op("MatMul", x, w)
        x = n.op("Relu", x) if i == 0 else x
    n.output(n.op("Cast", x, to=1))


@variants(dense=("Gemm",), conv=("Conv",), softmax=("Softmax",),
          pooled=("Pool",), shifted=("Shift",), resized=("Resize",),
          sigmoid=("Sigmoid",))
def whole__half(n, kind):
    """All of it in 16-bit floats: inputs, weights, results."""
    def weight(*shape):
        return n.constant(n.normal(*shape, scale=0.3), np.float16)

    if kind in ("Conv", "Pool", "Resize", "Sigmoid"):
        x = n.input([1, 3, 8, 8], dtype=np.float16)
        x = n.relu(n.op("Conv", x, weight(6, 3, 3, 3), weight(6),
                        kernel_shape=[3, 3], pads=[1] * 4))
        if kind == "Pool":
            x = n.op("Gemm", n.flat(n.op("GlobalAveragePool", x)), weight(6, 4))
        if kind in ("Resize", "Sigmoid"):
            if kind == "Resize":
                x = n.op("Resize", x, "", n.constant([1, 1, 2, 2]),
                         mode="nearest")
            x = n.op("Conv", x, weight(2, 6, 3, 3), weight(2),
                     kernel_shape=[3, 3], pads=[1] * 4)
        return n.output(n.op("Sigmoid", x) if kind == "Sigmoid" else x)
    x = n.input([1, 8], dtype=np.float16)
    if kind == "Shift":
        x = n.op("Mul", n.op("Sub", x, n.constant(0.25, np.float16)),
                 n.constant(1.5, np.float16))
    x = n.relu(n.op("Gemm", x, weight(8, 12), weight(12)))
    x = n.op("Gemm", x, weight(12, 4), weight(4))
    n.output(n.op("Softmax", x, axis=1) if kind == "Softmax" else x)


@variants(input=(True, False), result=(False, True))
def ends__half(n, first, last):
    """A network of floats between casts."""
    x = n.input([1, 8], dtype=np.float16 if first else np.float32)
    if first:
        x = n.op("Cast", x, to=1)
    x = n.dense(n.relu(n.dense(x, 8, 12)), 12, 4)
    n.output(n.op("Cast", x, to=10) if last else x)


@network
def ends__half_encodings(n):
    """Encodings of the file between casts of the interface."""
    x = n.qdq(n.op("Cast", n.input([1, 16], dtype=np.float16), to=1), 0.008)
    y = n.qdq(n.op("MatMul", x, n.stored([16, 6], 0.004)), 0.02)
    n.output(n.op("Cast", y, to=10))


@variants(z128=(128,), z100=(100,), z3=(3,))
def middle__unsigned_weights(n, zero):
    x = n.qdq(n.input([1, 16]), 0.008)
    n.output(n.qdq(n.op("MatMul", x, n.stored([16, 6], 0.004, np.uint8, zero)),
                   0.02))


@variants(z0=("Conv", 0, 1, None), z200_by_channel=("Conv", 200, 1, 0),
          depthwise_z3=("Conv", 3, 4, None), groups_z90=("Conv", 90, 2, 0),
          transposed_z250=("ConvTranspose", 250, 1, None),
          signed_z100=("Conv", 100, 1, 0))
def middle__far_zero_points(n, op, zero, group, axis):
    """Weights less their zero point leave a signed byte."""
    signed = zero == 100
    x = n.qdq(n.input([1, 4, 7, 7]), 0.008, 100, np.uint8)
    w = n.stored([4 if op == "ConvTranspose" else 8, 4 // group, 3, 3], 0.004,
                 np.int8 if signed else np.uint8, zero, axis)
    n.output(n.qdq(n.op(op, x, w, kernel_shape=[3, 3], pads=[1, 0, 1, 2],
                        group=group), 0.05))


@network
def middle__stored_weights(n):
    """Activations that the file leaves float."""
    x = n.input([1, 4, 6, 6])
    x = n.op("Conv", x, n.stored([6, 4, 3, 3], 0.004, np.uint8, 3),
             kernel_shape=[3, 3])
    x = n.op("Flatten", n.op("GlobalAveragePool", n.op("Relu", x)))
    n.output(n.op("MatMul", x, n.stored([6, 5], 0.01, np.uint8, 240)))


@variants(conv=("ConvInteger", 4), matrix=("MatMulInteger", 3),
          function=("MatMulInteger", 250, "Sigmoid"))
def middle__integer_products(n, op, zero, function=None):
    x = n.input([1, 4, 5, 5] if zero == 4 else [2, 8], 0, 255, np.uint8)
    w = n.constant(n.random.integers(0, 256, [6, 4, 3, 3] if zero == 4
                                     else [8, 5]), np.uint8)
    y = n.op(op, x, w, n.constant(7, np.uint8), n.constant(zero, np.uint8),
             **({"kernel_shape": [3, 3]} if zero == 4 else {}))
    y = n.op("Mul", n.op("Cast", y, to=1), n.constant(np.float32(1e-4)))
    n.output(n.qdq(n.op(function, y), 1 / 127) if function
             else n.qdq(y, 0.5))


@network
def middle__linear_conv(n):
    scale, zero = n.constant(np.float32(0.008)), n.constant(7, np.uint8)
    x = n.op("QuantizeLinear", n.input([1, 4, 5, 5]), scale, zero)
    w = n.constant(n.random.integers(0, 256, [6, 4, 3, 3]), np.uint8)
    s, z = n.constant(np.float32(0.05)), n.constant(128, np.uint8)
    y = n.op("QLinearConv", x, scale, zero, w,
             n.constant(n.random.uniform(.001, .003, 6)),
             n.constant(n.random.integers(0, 256, 6), np.uint8), s, z,
             n.constant(n.random.integers(-9999, 9999, 6), np.int32),
             kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    n.output(n.op("DequantizeLinear", y, s, z))


@network
def middle__layer_norm(n):
    x = n.dense(n.input([4, 16]), 16, 16)
    x = n.op("LayerNormalization", x, n.constant(np.ones(16)),
             n.constant(np.zeros(16)), axis=-1)
    n.output(n.dense(n.op("Gelu", x) if n.opset >= 20 else n.relu(x), 16, 4))


# --- QONNX and Brevitas ----------------------------------------------------

@variants(quant=("Quant",), int_quant=("IntQuant",))
def qonnx__dense(n, op):
    x = n.quant(n.input([1, 16]), 1 / 16, 4, op=op)
    for i, width in enumerate((12, 5)):
        w = n.quant(n.constant(n.normal(16 if i == 0 else 12, width, scale=0.3)),
                    0.125, 3, op=op, narrow=1)
        x = n.op("MatMul", x, w)
        x = n.quant(n.relu(x), 0.25, 4, op=op, signed=0)
    n.output(x)


@network
def qonnx__binary(n):
    x = n.quant(n.input([1, 16]), 1 / 16, 4)
    one = n.constant(np.float32(1))
    for i, width in enumerate((12, 5)):
        w = n.op("BipolarQuant",
                 n.constant(n.normal(16 if i == 0 else 12, width)), one,
                 domain=QONNX)
        x = n.op("MatMul", x, w)
        if i == 0:
            x = n.op("BipolarQuant", n.norm(x, 12), one, domain=QONNX)
    n.output(n.quant(x, 0.5, 8))


@network
def qonnx__binary_behind_a_maximum(n):
    one = n.constant(np.float32(1))
    x = n.quant(n.input([1, 3, 8, 8]), 1 / 16, 4)
    w = n.op("BipolarQuant", n.constant(n.normal(8, 3, 3, 3)), one, domain=QONNX)
    x = n.op("MaxPool", n.op("Conv", x, w, pads=[1] * 4), kernel_shape=[2, 2],
             strides=[2, 2])
    x = n.op("BipolarQuant", n.norm(x, 8), one, domain=QONNX)
    w = n.op("BipolarQuant", n.constant(n.normal(128, 6)), one, domain=QONNX)
    n.output(n.quant(n.op("MatMul", n.flat(x), w), 1, 8))


@network
def qonnx__bias_of_few_bits(n):
    x = n.quant(n.input([1, 3, 8, 8]), 1 / 8, 4)
    for channels, into in ((3, 8), (8, 4)):
        w = n.quant(n.constant(n.normal(into, channels, 3, 3, scale=0.3)),
                    0.125, 4, narrow=1)
        x = n.relu(n.norm(n.op("Conv", x, w, pads=[1] * 4), into))
        x = n.quant(x, 0.25, 4, signed=0)
    n.output(x)


@network
def qonnx__bias_of_32_bits(n):
    x = n.quant(n.input([1, 16]), 1 / 16, 4)
    w = n.quant(n.constant(n.normal(16, 5, scale=0.3)), 0.125, 3)
    b = n.quant(n.constant(n.normal(5)), 1 / 128, 32)
    n.output(n.quant(n.op("Add", n.op("MatMul", x, w), b), 0.25, 8))


@network
def qonnx__scales_by_channel(n):
    x = n.quant(n.input([1, 4, 6, 6]), 1 / 16, 6)
    s = n.random.uniform(0.02, 0.2, (3, 1, 1, 1))
    w = n.quant(n.constant(n.normal(3, 4, 3, 3, scale=0.2)), s, 4, narrow=1)
    y = n.op("Conv", x, w, pads=[1] * 4)
    n.output(n.quant(n.relu(y), 0.1, 5, signed=0))


@network
def qonnx__trunc_average(n):
    x = n.quant(n.relu(n.input([1, 2, 8])), 0.25, 4, signed=0)
    x = n.op("AveragePool", x, kernel_shape=[4], strides=[4])
    x = n.op("Trunc", x, n.constant(np.float32(0.0625)),
             n.constant(np.float32(0)), n.constant(np.float32(6)),
             n.constant(np.float32(4)), domain=QONNX, rounding_mode="FLOOR")
    w = n.quant(n.constant(n.normal(3, 2, 1, scale=0.5)), 0.125, 4, narrow=1)
    n.output(n.quant(n.op("Conv", x, w), 0.125, 8))


@variants(signed=(1, "FLOOR", dict(kernel_shape=[2, 2], strides=[2, 2]), 4),
          ceil_padded=(0, "CEIL", dict(kernel_shape=[2, 2], strides=[2, 2],
                                       pads=[1] * 4, count_include_pad=1), 4),
          round_overlapping=(1, "ROUND", dict(kernel_shape=[4, 2],
                                              strides=[1, 1]), 8))
def qonnx__trunc_windows(n, signed, mode, windows, count):
    x = n.quant(n.input([1, 3, 6, 6]), 0.5, 4, signed=signed)
    x = n.op("AveragePool", x, **windows)
    x = n.op("Trunc", x, n.constant(np.float32(0.5 / count)),
             n.constant(np.float32(0)), n.constant(np.float32(7)),
             n.constant(np.float32(4)), domain=QONNX, rounding_mode=mode)
    w = n.quant(n.constant(n.normal(3, 3, 1, 1, scale=0.5)), 0.125, 4, narrow=1)
    n.output(n.quant(n.op("Conv", x, w), 0.03125, 8))


@variants(floor=("FLOOR", 0), odd_zero=("ROUND", 3))
def qonnx__rounding(n, mode, zero):
    x = n.quant(n.input([1, 16], 0, 1), 1 / 16, 5, zero, signed=0)
    w = n.quant(n.constant(n.normal(16, 5, scale=0.3)), 0.125, 3)
    y = n.relu(n.op("MatMul", x, w))
    n.output(n.quant(y, 0.25, 5, signed=0, rounding_mode=mode))


# --- whole networks --------------------------------------------------------

@network
def whole__u_net(n):
    a = stem(n, 8, 16)
    b = n.relu(n.conv(n.op("MaxPool", a, kernel_shape=[2, 2], strides=[2, 2]),
                      8, 16))
    c = n.relu(n.conv(n.op("MaxPool", b, kernel_shape=[2, 2], strides=[2, 2]),
                      16, 16))
    c = n.conv(c, 16, 16, kernel=2, pad=0, stride=2, op="ConvTranspose")
    d = n.relu(n.conv(n.op("Concat", b, c, axis=1), 32, 8))
    d = n.op("Resize", d, "", n.constant([1, 1, 2, 2]), mode="nearest",
             coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    d = n.relu(n.conv(n.op("Concat", a, d, axis=1), 16, 8))
    n.output(n.op("Sigmoid", n.conv(d, 8, 1, kernel=1)))


@network
def whole__ssd_head(n):
    x = n.relu(n.conv(stem(n, 8, 16), 8, 16, stride=2))
    y = n.relu(n.conv(x, 16, 16, stride=2))
    boxes, classes = [], []
    for part, size in ((x, 8), (y, 4)):
        for into, results in ((8, boxes), (6, classes)):
            z = n.op("Transpose", n.conv(part, 16, into), perm=[0, 2, 3, 1])
            results.append(n.op("Reshape", z, n.constant(
                [1, size * size * 2, into // 2], np.int64)))
    n.output(n.op("Concat", *boxes, axis=1))
    n.output(n.op("Softmax", n.op("Concat", *classes, axis=1), axis=-1))


@network
def whole__mobile_net_v3(n):
    def swish(x):
        return n.op("HardSwish", x)
    x = swish(n.conv(n.input([1, 3, 16, 16]), 3, 8, stride=2))
    y = swish(n.conv(x, 8, 16, kernel=1))
    y = swish(n.conv(y, 16, 16, group=16))
    s = n.relu(n.conv(n.op("GlobalAveragePool", y), 16, 4, kernel=1))
    s = n.op("HardSigmoid", n.conv(s, 4, 16, kernel=1), alpha=1 / 6, beta=0.5)
    x = n.op("Add", x, n.conv(n.op("Mul", y, s), 16, 8, kernel=1))
    x = n.flat(n.op("GlobalAveragePool", swish(n.conv(x, 8, 24, kernel=1))))
    n.output(n.dense(x, 24, 10))


@network
def whole__shuffle_net(n):
    x = stem(n, 8)
    a, b = n.op("Split", x, outputs=2, axis=1)
    b = n.relu(n.conv(n.conv(n.relu(n.conv(b, 4, 4, kernel=1)), 4, 4, group=4),
                      4, 4, kernel=1))
    x = n.op("Concat", a, b, axis=1)
    x = n.op("Reshape", x, n.constant([1, 2, 4, 8, 8], np.int64))
    x = n.op("Transpose", x, perm=[0, 2, 1, 3, 4])
    x = n.op("Reshape", x, n.constant([1, 8, 8, 8], np.int64))
    n.output(n.dense(n.flat(n.op("GlobalAveragePool", x)), 8, 10))


@network
def whole__dense_net(n):
    x, channels = stem(n, 8), 8
    for _ in range(3):
        y = n.conv(n.relu(n.norm(x, channels)), channels, 4)
        x, channels = n.op("Concat", x, y, axis=1), channels + 4
    x = n.flat(n.op("GlobalAveragePool", n.relu(n.norm(x, channels))))
    n.output(n.dense(x, channels, 10))


@network
def whole__tcn(n):
    x = n.input([1, 4, 32])
    for dilation in (1, 2, 4):
        y = n.op("Pad", x, n.constant([0, 0, 2 * dilation, 0, 0, 0], np.int64))
        w = n.constant(n.normal(4, 4, 3, scale=0.4))
        y = n.relu(n.op("Conv", y, w, dilations=[dilation]))
        x = n.op("Add", x, y)
    n.output(n.dense(n.flat(n.op("GlobalAveragePool", x)), 4, 5))


@network
def whole__gru_keyword(n):
    x = n.op("Transpose", n.input([1, 8, 10]), perm=[1, 0, 2])
    y = n.op("GRU", x, n.constant(n.normal(1, 48, 10, scale=0.3)),
             n.constant(n.normal(1, 48, 16, scale=0.3)),
             n.constant(n.normal(1, 96, scale=0.1)), outputs=2, hidden_size=16,
             linear_before_reset=1)[1]
    n.output(n.dense(n.op("Squeeze", y, n.constant([0], np.int64)), 16, 5))


def recurrent(n, kind, x, inputs, hidden, ways=1, states=(), **attributes):
    """Results of an LSTM, GRU or RNN with random weights."""
    rows = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind] * hidden
    scale = hidden ** -0.5
    direction = "bidirectional" if ways == 2 else "forward"
    return n.op(kind, x, n.constant(n.normal(ways, rows, inputs, scale=scale)),
                n.constant(n.normal(ways, rows, hidden, scale=scale)),
                n.constant(n.normal(ways, 2 * rows, scale=0.1)),
                *(("", *states) if states else ()),
                outputs=3 if kind == "LSTM" else 2, hidden_size=hidden,
                **dict(dict(direction=direction), **attributes))


@network
def whole__lstm_sequence(n):
    x = n.op("Transpose", n.input([1, 8, 10]), perm=[1, 0, 2])
    y = recurrent(n, "LSTM", x, 10, 16)[0]
    y = n.op("Squeeze", y, n.constant([1], np.int64))
    y = n.op("Transpose", y, perm=[1, 0, 2])
    w = n.constant(n.normal(16, 4, scale=0.25))
    n.output(n.op("MatMul", y, w))


@network
def whole__lstm_two_layers(n):
    x = n.input([12, 1, 8])
    for width in (8, 16):
        x = recurrent(n, "LSTM", x, width, 16)[0]
        x = n.op("Squeeze", x, n.constant([1], np.int64))
    n.output(n.dense(n.op("Reshape", x, n.constant([12, 16], np.int64)), 16, 6))


@network
def whole__bidirectional_gru(n):
    y = recurrent(n, "GRU", n.input([6, 2, 5]), 5, 8, ways=2)[0]
    y = n.op("Transpose", y, perm=[2, 0, 1, 3])
    y = n.op("Reshape", y, n.constant([2, 6, 16], np.int64))
    n.output(n.op("MatMul", y, n.constant(n.normal(16, 3, scale=0.25))))


@network
def whole__rnn_with_state(n):
    x, h = n.input([1, 1, 6]), n.input([1, 1, 12], name="h")
    y, last = recurrent(n, "RNN", x, 6, 12, states=(h,))
    y = n.op("Reshape", y, n.constant([1, 12], np.int64))
    n.output(n.dense(y, 12, 3))
    n.output(last)


@variants(a_frame=(1,), four_frames=(4,))
def whole__streaming_tcn(n, frames):
    """Caches are inputs and results: the end of what a convolution has seen."""
    x, channels, caches = n.input([1, 4, frames]), 4, []
    for i in range(2):
        cache = n.input([1, channels, 4], name=f"cache{i}")
        seen = n.op("Concat", cache, x, axis=2)
        caches.append(n.op("Slice", seen, n.constant([frames], np.int64),
                           n.constant([frames + 4], np.int64),
                           n.constant([2], np.int64)))
        x, channels = n.relu(n.conv(seen, channels, 8, kernel=5, pad=0,
                                    rank=1)), 8
    n.output(n.conv(x, 8, 3, kernel=1, rank=1))
    for cache in caches:
        n.output(cache)


@network
def whole__1w1a(n):
    one = n.constant(np.float32(1))
    x = n.quant(n.input([1, 1, 12, 12]), 1 / 128, 8)
    for into, channels in ((8, 1), (8, 8)):
        w = n.op("BipolarQuant", n.constant(n.normal(into, channels, 3, 3)), one,
                 domain=QONNX)
        x = n.norm(n.op("Conv", x, w), into)
        x = n.op("BipolarQuant", x, one, domain=QONNX)
    w = n.op("BipolarQuant", n.constant(n.normal(8 * 64, 10)), one, domain=QONNX)
    n.output(n.op("MatMul", n.flat(x), w))


@network
def whole__binary_by_signs(n):
    """As Larq exports it: signs, padding with 1, a maximum in front of a
    normalization."""
    tenth = n.constant(np.float32(0.1))
    sign = lambda x: n.op("Sign", n.op("Add", n.op("Sign", x), tenth))
    pm = lambda *shape: n.constant(np.sign(n.normal(*shape)))
    x = sign(n.op("Conv", n.input([1, 3, 8, 8]), pm(8, 3, 3, 3), pads=[1] * 4))
    x = n.op("Pad", x, n.constant([0, 0, 1, 1] * 2, np.int64),
             n.constant(np.float32(1)))
    x = n.op("MaxPool", n.op("Conv", x, pm(16, 8, 3, 3)), kernel_shape=[2, 2],
             strides=[2, 2])
    n.output(n.op("MatMul", n.flat(sign(n.norm(x, 16))), pm(256, 10)))


@network
def whole__residual(n):
    x = stem(n, 8)
    for _ in range(2):
        y = n.relu(n.norm(n.conv(x, 8, 8, bias=False), 8))
        y = n.norm(n.conv(y, 8, 8, bias=False), 8)
        x = n.relu(n.op("Add", x, y))
    x = n.flat(n.op("GlobalAveragePool", x))
    n.output(n.op("Softmax", n.dense(x, 8, 10), axis=-1))


@network
def whole__autoencoder(n):
    x, width = n.input([1, 64]), 64
    for into in (32, 8, 32):
        x, width = n.relu(n.dense(x, width, into)), into
    n.output(n.dense(x, width, 64))


def build(name):
    net = Net(name)
    NETWORKS[name](net)
    return net
