# SPDX-License-Identifier: Apache-2.0
"""Networks as people bring them: the blocks of published architectures as
PyTorch and Keras export them. Each comes twice: in floats, and as ONNX
Runtime's static quantizer writes it (`static/...`)."""
import numpy as np

from networks import NETWORKS, rest, stem


def outside(function, opset=17):
    """Both forms of one network."""
    name = function.__name__.replace("_", "-")

    def write(n):
        n.opset = opset
        function(n)

    def write_static(n):
        write(n)
        n.static = True
    NETWORKS["outside/" + name] = write
    NETWORKS["static/" + name] = write_static
    return function


def outside_20(function):
    return outside(function, opset=20)


def channels_first(n, x, perm):
    return n.op("Transpose", x, perm=perm)


def shape(n, x, *extents):
    return n.op("Reshape", x, n.constant(extents, np.int64))


def head(n, x, channels, classes=10):
    n.output(n.dense(n.flat(n.op("GlobalAveragePool", x)), channels, classes))


def layer_norm(n, x, width):
    return n.op("LayerNormalization", x,
                n.constant(n.random.uniform(0.5, 1.5, width)),
                n.constant(n.normal(width, scale=0.2)), axis=-1)


def project(n, x, width, into):
    """nn.Linear on tokens: a product and a sum."""
    w = n.constant(n.normal(width, into, scale=(1.0 / width) ** 0.5))
    return n.op("Add", n.op("MatMul", x, w),
                n.constant(n.normal(into, scale=0.1)))


@outside
def mobile_net_v3(n):
    """Hard swish taken apart, as torch exports it below opset 14; squeeze and
    excite."""
    def swish(x):
        y = n.op("Clip", n.op("Add", x, n.constant(3.0)), n.constant(0.0),
                 n.constant(6.0))
        return n.op("Div", n.op("Mul", x, y), n.constant(6.0))
    x = swish(n.conv(n.input([1, 3, 16, 16]), 3, 8, stride=2))
    y = swish(n.conv(n.conv(x, 8, 16, kernel=1), 16, 16, group=16))
    s = n.op("ReduceMean", y, axes=[2, 3], keepdims=1)
    s = n.relu(n.conv(s, 16, 4, kernel=1))
    s = n.op("HardSigmoid", n.conv(s, 4, 16, kernel=1), alpha=1 / 6, beta=0.5)
    x = n.op("Add", x, n.conv(n.op("Mul", s, y), 16, 8, kernel=1))
    head(n, swish(n.conv(x, 8, 24, kernel=1)), 24)


@outside
def efficient_net(n):
    """Swish as x * sigmoid(x), a strided depthwise layer."""
    def swish(x):
        return n.op("Mul", x, n.op("Sigmoid", x))
    x = swish(n.norm(n.conv(n.input([1, 3, 16, 16]), 3, 8, stride=2), 8))
    y = swish(n.norm(n.conv(x, 8, 16, kernel=1), 16))
    y = swish(n.norm(n.conv(y, 16, 16, 5, group=16, stride=2), 16))
    s = n.op("GlobalAveragePool", y)
    s = n.op("Sigmoid", n.conv(swish(n.conv(s, 16, 4, kernel=1)), 4, 16,
                               kernel=1))
    head(n, n.norm(n.conv(n.op("Mul", y, s), 16, 12, kernel=1), 12), 12)


@outside
def shuffle_net_v2(n):
    """Halves by Split of given lengths, strided branches, channels shuffled."""
    def shuffle(x, channels, size):
        x = shape(n, x, 1, 2, channels // 2, size, size)
        x = n.op("Transpose", x, perm=[0, 2, 1, 3, 4])
        return shape(n, x, 1, channels, size, size)
    x = stem(n, 8, 16)
    a = n.relu(n.conv(n.conv(x, 8, 8, group=8, stride=2), 8, 8, kernel=1))
    b = n.relu(n.conv(x, 8, 8, kernel=1))
    b = n.relu(n.conv(n.conv(b, 8, 8, group=8, stride=2), 8, 8, kernel=1))
    x = shuffle(n.op("Concat", a, b, axis=1), 16, 8)
    a, b = n.op("Split", x, n.constant([8, 8], np.int64), outputs=2, axis=1)
    b = n.relu(n.conv(n.conv(b, 8, 8, group=8), 8, 8, kernel=1))
    head(n, shuffle(n.op("Concat", a, b, axis=1), 16, 8), 16)


@outside
def dense_net(n):
    """A transition by AveragePool of 2, and a norm behind the concatenation."""
    x, channels = n.op("MaxPool", stem(n, 8, 16), kernel_shape=[3, 3],
                       strides=[2, 2], pads=[1] * 4), 8
    for _ in range(2):
        y = n.conv(n.relu(n.norm(x, channels)), channels, 8, kernel=1)
        y = n.conv(n.relu(n.norm(y, 8)), 8, 4)
        x, channels = n.op("Concat", x, y, axis=1), channels + 4
    x = n.conv(n.relu(n.norm(x, channels)), channels, 8, kernel=1)
    x = n.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    head(n, n.relu(n.norm(x, 8)), 8)


@outside
def u_net_bilinear(n):
    """Bilinear enlargement with align_corners, skips padded to their extent."""
    a = stem(n, 8, 16)
    b = n.relu(n.conv(n.op("MaxPool", a, kernel_shape=[2, 2], strides=[2, 2]),
                      8, 16))
    up = n.op("Resize", b, "", "", n.constant([1, 16, 16, 16], np.int64),
              mode="linear", coordinate_transformation_mode="align_corners")
    d = n.relu(n.conv(n.op("Concat", a, up, axis=1), 24, 8))
    n.output(n.conv(d, 8, 2, kernel=1))


@outside
def ssd_heads(n):
    """Boxes and scores of two maps through Transpose, Reshape, Concat; scores by
    Softmax, boxes decoded by a constant."""
    x = n.relu(n.conv(stem(n, 8, 16), 8, 16, stride=2))
    y = n.relu(n.conv(x, 16, 16, stride=2))
    boxes, scores = [], []
    for part, size in ((x, 8), (y, 4)):
        z = n.op("Transpose", n.conv(part, 16, 8), perm=[0, 2, 3, 1])
        boxes.append(shape(n, z, 1, size * size * 2, 4))
        z = n.op("Transpose", n.conv(part, 16, 6), perm=[0, 2, 3, 1])
        scores.append(shape(n, z, 1, size * size * 2, 3))
    deltas = n.op("Mul", n.op("Concat", *boxes, axis=1),
                  n.constant([0.1, 0.1, 0.2, 0.2]))
    n.output(n.op("Softmax", n.op("Concat", *scores, axis=1), axis=2))
    n.output(deltas)


@outside
def yolo_head(n):
    """Sigmoid of a part, boxes by grid constants; SiLU, SPPF, nearest upsampling."""
    def block(x, channels, into, **more):
        y = n.conv(x, channels, into, **more)
        return n.op("Mul", y, n.op("Sigmoid", y))
    x = block(n.input([1, 3, 16, 16]), 3, 8, stride=2)
    pools, y = [x], x
    for _ in range(2):
        y = n.op("MaxPool", y, kernel_shape=[5, 5], pads=[2] * 4)
        pools.append(y)
    y = block(n.op("Concat", *pools, axis=1), 24, 8, kernel=1, stride=2)
    up = n.op("Resize", y, "", n.constant([1, 1, 2, 2]), mode="nearest",
              coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    z = n.conv(n.op("Concat", up, x, axis=1), 16, 6, kernel=1)
    z = shape(n, z, 1, 6, 64)
    xy, conf = n.op("Split", z, n.constant([2, 4], np.int64), outputs=2, axis=1)
    grid = n.constant(n.random.uniform(0, 1, (1, 2, 64)))
    xy = n.op("Mul", n.op("Add", n.op("Sigmoid", xy), grid), n.constant(0.5))
    n.output(n.op("Concat", xy, n.op("Sigmoid", conf), axis=1))


@outside
def causal_tcn(n):
    """Causal padding by asymmetric pads; a residual of another width; the last
    step by Slice."""
    x, channels = n.input([1, 4, 24]), 4
    for dilation, into in ((1, 8), (2, 8), (4, 8)):
        w = n.constant(n.normal(into, channels, 3, scale=0.3))
        y = n.relu(n.op("Conv", x, w, n.constant(n.normal(into, scale=0.1)),
                        dilations=[dilation], pads=[2 * dilation, 0]))
        r = x if channels == into else n.conv(x, channels, into, kernel=1, rank=1)
        x, channels = n.relu(n.op("Add", y, r)), into
    x = n.op("Slice", x, n.constant([-1], np.int64),
             n.constant([2 ** 31], np.int64), n.constant([2], np.int64))
    n.output(n.dense(n.flat(x), 8, 5))


@outside
def wave_net(n):
    """A gated unit: tanh times sigmoid, skips summed."""
    x = n.conv(n.input([1, 2, 24]), 2, 8, rank=1)
    skips = None
    for dilation in (1, 2):
        w = [n.constant(n.normal(8, 8, 2, scale=0.3)) for _ in range(2)]
        a, b = [n.op("Conv", x, v, dilations=[dilation], pads=[dilation, 0])
                for v in w]
        z = n.op("Mul", n.op("Tanh", a), n.op("Sigmoid", b))
        s = n.conv(z, 8, 8, kernel=1, rank=1)
        skips = s if skips is None else n.op("Add", skips, s)
        x = n.op("Add", x, s)
    n.output(n.conv(n.relu(skips), 8, 4, kernel=1, rank=1))


@outside
def attention(n, width=16, heads=2, tokens=8):
    """One block of a vision transformer: a product of two activations, softmax in
    the middle, layer norms, GELU by Erf."""
    x = n.input([1, tokens, width])
    x = n.op("Add", x, n.constant(n.normal(1, tokens, width, scale=0.2)))
    y = layer_norm(n, x, width)
    parts = []
    for perm in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]):
        z = shape(n, project(n, y, width, width), 1, tokens, heads,
                  width // heads)
        parts.append(n.op("Transpose", z, perm=perm))
    scores = n.op("Div", n.op("MatMul", parts[0], parts[1]),
                  n.constant((width // heads) ** 0.5))
    y = n.op("MatMul", n.op("Softmax", scores, axis=-1), parts[2])
    y = shape(n, n.op("Transpose", y, perm=[0, 2, 1, 3]), 1, tokens, width)
    x = n.op("Add", x, project(n, y, width, width))
    y = project(n, layer_norm(n, x, width), width, 32)
    e = n.op("Erf", n.op("Div", y, n.constant(2 ** 0.5)))
    y = n.op("Mul", n.op("Mul", y, n.op("Add", e, n.constant(1.0))),
             n.constant(0.5))
    x = layer_norm(n, n.op("Add", x, project(n, y, 32, width)), width)
    n.output(project(n, n.op("ReduceMean", x, axes=[1], keepdims=0), width, 5))


@outside
def patches(n):
    """The stem of a vision transformer: strided convolution, tokens, a class
    token in front, its row read at the end."""
    x = n.conv(n.input([1, 3, 16, 16]), 3, 16, kernel=4, stride=4, pad=0)
    x = n.op("Transpose", shape(n, x, 1, 16, 16), perm=[0, 2, 1])
    x = n.op("Concat", n.constant(n.normal(1, 1, 16, scale=0.5)), x, axis=1)
    x = n.op("Add", x, n.constant(n.normal(1, 17, 16, scale=0.2)))
    x = n.op("Add", x, project(n, n.relu(project(n, layer_norm(n, x, 16), 16,
                                                 24)), 24, 16))
    x = n.op("Gather", layer_norm(n, x, 16), n.constant(0, np.int64), axis=1)
    n.output(project(n, x, 16, 5))


@outside
def conv_next(n):
    """Depthwise 7x7, a layer norm over channels last, a scale a channel."""
    x = n.conv(n.input([1, 3, 16, 16]), 3, 8, kernel=4, stride=4, pad=0)
    y = n.op("Transpose", n.conv(x, 8, 8, kernel=7, group=8),
             perm=[0, 2, 3, 1])
    y = project(n, layer_norm(n, y, 8), 8, 32)
    e = n.op("Erf", n.op("Mul", y, n.constant(0.5 ** 0.5)))
    y = n.op("Mul", n.op("Mul", y, n.constant(0.5)),
             n.op("Add", e, n.constant(1.0)))
    y = n.op("Mul", project(n, y, 32, 8), n.constant(n.normal(8, scale=0.3)))
    x = n.op("Add", x, n.op("Transpose", y, perm=[0, 3, 1, 2]))
    head(n, x, 8)


@outside
def mlp_mixer(n):
    """Products across tokens: transposed activations."""
    x = n.input([1, 8, 16])
    y = n.op("Transpose", layer_norm(n, x, 16), perm=[0, 2, 1])
    y = project(n, n.relu(project(n, y, 8, 12)), 12, 8)
    x = n.op("Add", x, n.op("Transpose", y, perm=[0, 2, 1]))
    y = project(n, n.relu(project(n, layer_norm(n, x, 16), 16, 24)), 24, 16)
    n.output(n.op("ReduceMean", n.op("Add", x, y), axes=[1], keepdims=0))


@outside
def activations(n):
    """One of each activation between products."""
    x = n.input([1, 3, 8, 8])
    channels = 3
    for kind, more in (("LeakyRelu", {"alpha": 0.1}), ("Elu", {}), ("Selu", {}),
                       ("Softplus", {}), ("Softsign", {}), ("HardSwish", {}),
                       ("ThresholdedRelu", {"alpha": 0.2}), ("Celu", {})):
        x = n.op(kind, n.conv(x, channels, 4, kernel=1), **more)
        channels = 4
    y = n.conv(x, 4, 4)
    x = n.op("Mul", y, n.op("Tanh", n.op("Softplus", y)))
    head(n, n.op("PRelu", n.conv(x, 4, 4),
                 n.constant(n.random.uniform(0.1, 0.4, (4, 1, 1)))), 4)


@outside_20
def gelu(n):
    """Gelu and Mish as one operator each, the erf and the tanh form."""
    x = n.op("Gelu", n.dense(n.input([4, 16]), 16, 16))
    x = n.op("Gelu", n.dense(x, 16, 16), approximate="tanh")
    n.output(n.dense(n.op("Mish", n.dense(x, 16, 16)), 16, 5))


@outside
def arithmetic(n):
    """Abs, Neg, Sqrt, Exp, Pow, Reciprocal, Floor of what layers give."""
    x = n.op("Abs", n.conv(n.input([1, 3, 8, 8]), 3, 4))
    x = n.op("Sqrt", n.op("Add", x, n.constant(0.1)))
    x = n.op("Exp", n.op("Neg", n.conv(x, 4, 4)))
    x = n.op("Pow", n.op("Clip", x, n.constant(0.0), n.constant(3.0)),
             n.constant(2.0))
    x = n.op("Reciprocal", n.op("Add", n.conv(x, 4, 4, kernel=1),
                                n.constant(40.0)))
    rest(n, n.op("Mul", x, n.constant(20.0)))


@outside
def instance_norm(n):
    """Style transfer: reflecting pads, instance norms."""
    x = n.op("Pad", n.input([1, 3, 8, 8]),
             n.constant([0, 0, 1, 1, 0, 0, 1, 1], np.int64), mode="reflect")
    x = n.conv(x, 3, 8, pad=0)
    x = n.op("InstanceNormalization", x,
             n.constant(n.random.uniform(0.5, 1.5, 8)),
             n.constant(n.normal(8, scale=0.2)))
    n.output(n.op("Tanh", n.conv(n.relu(x), 8, 3)))


@outside
def group_norm(n):
    """GroupNorm as torch exports it: groups as rows of InstanceNormalization."""
    x = shape(n, n.conv(n.input([1, 3, 8, 8]), 3, 8), 1, 2, -1)
    x = n.op("InstanceNormalization", x, n.constant([1.0, 1.0]),
             n.constant([0.0, 0.0]))
    x = n.op("Mul", shape(n, x, 1, 8, 8, 8),
             n.constant(n.random.uniform(0.5, 1.5, (8, 1, 1))))
    x = n.op("Add", x, n.constant(n.normal(8, 1, 1, scale=0.2)))
    head(n, n.conv(n.relu(x), 8, 8), 8)


@outside
def local_response(n):
    """AlexNet: local response normalization, overlapping pools."""
    x = n.op("LRN", stem(n, 8), size=5, alpha=0.5, beta=0.75)
    x = n.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    n.output(n.dense(n.flat(x), 72, 10))


@outside
def embedding(n):
    """A face network: an embedding of length 1 (ReduceL2, Clip, Div)."""
    x = n.dense(n.flat(stem(n, 8)), 512, 16)
    length = n.op("Clip", n.op("ReduceL2", x, axes=[1], keepdims=1),
                  n.constant(1e-12))
    n.output(n.op("Div", x, length))


@outside
def pixel_shuffle(n):
    """Super resolution: PixelShuffle as Reshape, Transpose, Reshape; a skip by
    bilinear enlargement."""
    x = n.input([1, 1, 8, 8])
    y = n.conv(n.relu(n.conv(x, 1, 8, kernel=5)), 8, 4)
    y = shape(n, y, 1, 1, 2, 2, 8, 8)
    y = shape(n, n.op("Transpose", y, perm=[0, 1, 4, 2, 5, 3]), 1, 1, 16, 16)
    up = n.op("Resize", x, "", n.constant([1, 1, 2, 2]), mode="linear",
              coordinate_transformation_mode="half_pixel")
    n.output(n.op("Add", y, up))


@outside
def focus(n):
    """Space to depth by four strided slices, as YOLO's Focus."""
    x = n.input([1, 3, 16, 16])
    parts = []
    for row in (0, 1):
        for column in (0, 1):
            parts.append(n.op("Slice", x, n.constant([row, column], np.int64),
                              n.constant([16, 16], np.int64),
                              n.constant([2, 3], np.int64),
                              n.constant([2, 2], np.int64)))
    head(n, n.relu(n.conv(n.op("Concat", *parts, axis=1), 12, 8)), 8)


@outside
def convolutions(n):
    """Groups, dilation, unequal pads and strides, a depth multiplier, 1x1 of
    stride 2, SAME_UPPER."""
    x = n.relu(n.conv(n.input([1, 4, 13, 12]), 4, 8, group=2))
    w = n.constant(n.normal(8, 8, 3, 3, scale=0.15))
    x = n.relu(n.op("Conv", x, w, dilations=[2, 1], pads=[2, 0, 1, 1]))
    w = n.constant(n.normal(16, 1, 3, 3, scale=0.4))
    x = n.relu(n.op("Conv", x, w, group=8, auto_pad="SAME_UPPER",
                    strides=[2, 1]))
    x = n.relu(n.conv(x, 16, 8, kernel=1, stride=2, pad=0))
    w = n.constant(n.normal(8, 8, 1, 3, scale=0.2))
    head(n, n.op("Conv", x, w, pads=[0, 2, 0, 0], strides=[1, 2]), 8)


@outside
def volumes(n):
    """Conv3d, a 3-d max pool and mean."""
    x = n.relu(n.conv(n.input([1, 2, 4, 6, 6]), 2, 4, rank=3))
    x = n.op("MaxPool", x, kernel_shape=[2, 2, 2], strides=[2, 2, 2])
    head(n, n.relu(n.conv(x, 4, 6, rank=3)), 6)


@outside
def where(n):
    """A fixed mask by Where, a Max with a constant, a minimum of two maps."""
    x = stem(n)
    mask = n.constant(np.arange(64).reshape(1, 1, 8, 8) % 3 == 0, bool)
    y = n.op("Where", mask, n.conv(x, 4, 4), n.constant(np.float32(0)))
    z = n.op("Min", y, n.op("Max", n.conv(x, 4, 4, kernel=1),
                            n.constant(0.1)))
    rest(n, z)


@outside
def einsum(n):
    """A gate by Einsum, a mean over channels, spatial attention (CBAM)."""
    x = stem(n)
    mean = n.op("ReduceMean", x, axes=[1], keepdims=1)
    most = n.op("ReduceMax", x, axes=[1], keepdims=1)
    gate = n.op("Sigmoid", n.conv(n.op("Concat", mean, most, axis=1), 2, 1))
    x = n.op("Mul", x, gate)
    w = n.constant(n.normal(4, 6, scale=0.4))
    head(n, n.op("Einsum", x, w, equation="bchw,cd->bdhw"), 6)


@outside
def fire(n):
    """SqueezeNet: a pool with ceil_mode, a map read by two, dropout."""
    x = n.op("MaxPool", stem(n, 8, 15), kernel_shape=[3, 3], strides=[2, 2],
             ceil_mode=1)
    s = n.relu(n.conv(x, 8, 4, kernel=1))
    x = n.op("Concat", n.relu(n.conv(s, 4, 8, kernel=1)),
             n.relu(n.conv(s, 4, 8)), axis=1)
    x = n.relu(n.conv(n.op("Dropout", x), 16, 6, kernel=1))
    x = n.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2],
             ceil_mode=1)
    n.output(n.flat(n.op("GlobalAveragePool", x)))


@outside
def inception(n):
    """Average pools beside convolutions, factorized kernels, PyTorch's
    count_include_pad=0."""
    x = stem(n, 8)
    pooled = n.op("AveragePool", x, kernel_shape=[3, 3], pads=[1] * 4,
                  strides=[1, 1])
    a = n.relu(n.conv(pooled, 8, 4, kernel=1))
    w = n.constant(n.normal(4, 8, 1, 3, scale=0.2))
    b = n.op("Conv", x, w, pads=[0, 1, 0, 1])
    w = n.constant(n.normal(4, 4, 3, 1, scale=0.3))
    b = n.relu(n.op("Conv", b, w, pads=[1, 0, 1, 0]))
    head(n, n.op("Concat", a, b, axis=1), 8)


@outside
def siamese(n):
    """Two inputs through the same weights, their distance."""
    w = n.constant(n.normal(16, 8, scale=0.3))
    rows = [n.op("Tanh", n.op("MatMul", n.input([1, 16], name=name), w))
            for name in ("a", "b")]
    n.output(n.op("ReduceSum", n.op("Abs", n.op("Sub", *rows)),
                  n.constant([1], np.int64), keepdims=1))


@outside
def separable_audio(n):
    """Keyword spotting: a tall kernel, depthwise layers, a pool over one axis,
    Squeeze and Unsqueeze."""
    x = n.op("Unsqueeze", n.input([1, 20, 10]), n.constant([1], np.int64))
    w = n.constant(n.normal(8, 1, 8, 4, scale=0.2))
    x = n.relu(n.norm(n.op("Conv", x, w, strides=[2, 2], pads=[3, 1, 4, 1]), 8))
    x = n.relu(n.conv(n.relu(n.conv(x, 8, 8, group=8)), 8, 8, kernel=1))
    x = n.op("AveragePool", x, kernel_shape=[10, 4], strides=[10, 4])
    x = n.op("Squeeze", x, n.constant([2, 3], np.int64))
    n.output(n.op("Softmax", n.dense(x, 8, 6), axis=1))
