# SPDX-License-Identifier: Apache-2.0
"""What integer targets compute in terms of other ops: pads of what is there,
constant tensors and masks, quotients, three dimensions."""
import numpy as np

from networks import network, rest, stem, variants


@variants(reflect=("reflect", [0, 0, 2, 1, 0, 0, 1, 3]),
          edge=("edge", [0, 0, 0, 2, 0, 0, 3, 0]),
          wrap=("wrap", [0, 0, 1, 1, 0, 0, 1, 1]))
def middle__pad_by(n, mode, amounts):
    x = n.op("Pad", stem(n), n.constant(amounts, np.int64), mode=mode)
    n.output(n.conv(x, 4, 2, pad=0))


@network
def middle__pad_by_reflection_stored(n):
    x = n.qdq(n.input([1, 3, 8, 8]), 0.008)
    x = n.op("Pad", x, n.constant([0, 0, 1, 1, 0, 0, 1, 1], np.int64),
             mode="reflect")
    y = n.op("Conv", x, n.stored([4, 3, 3, 3], 0.004))
    n.output(n.qdq(y, 0.02))


@variants(grid=("Add", (1, 4, 8, 8)), row=("Mul", (1, 1, 1, 8)),
          column=("Sub", (4, 8, 1)))
def middle__constant(n, kind, shape):
    rest(n, n.op(kind, n.conv(n.input([1, 3, 8, 8]), 3, 4),
                 n.constant(n.normal(*shape))))


@network
def middle__class_token(n):
    x = n.op("Concat", n.constant(n.normal(1, 1, 16)), n.input([1, 5, 16]),
             axis=1)
    n.output(n.op("MatMul", x, n.constant(n.normal(16, 4, scale=0.3))))


@variants(zero=(0.0,), number=(-0.5,), tensor=(None,))
def middle__where(n, other):
    x = stem(n)
    mask = n.constant(np.arange(64).reshape(1, 1, 8, 8) % 3 == 0, bool)
    other = n.conv(x, 4, 4, kernel=1) if other is None else n.constant(other)
    rest(n, n.op("Where", mask, n.conv(x, 4, 4), other))


@variants(smaller=("Min",), larger=("Max",))
def middle__of_two(n, kind):
    x = stem(n)
    rest(n, n.op(kind, n.conv(x, 4, 4), n.conv(x, 4, 4, kernel=1)))


@network
def middle__quotient(n):
    x = stem(n)
    y = n.op("Add", n.op("Sigmoid", n.conv(x, 4, 4)), n.constant(0.5))
    rest(n, n.op("Div", n.conv(x, 4, 4, kernel=1), y))


@variants(same={}, strided={"stride": 2}, valid={"pad": 0},
          flat={"kernel": 1})
def middle__volume(n, **more):
    x = n.relu(n.conv(n.input([1, 2, 5, 6, 7]), 2, 4, rank=3, **more))
    n.output(n.conv(x, 4, 3, kernel=1, rank=3))


@variants(max=("MaxPool", [1] * 6), mean=("AveragePool", [0] * 6))
def middle__volume_pool(n, kind, pads):
    x = n.op(kind, n.conv(n.input([1, 2, 6, 6, 6]), 2, 4, rank=3),
             kernel_shape=[2, 3, 2], strides=[2, 1, 2], pads=pads)
    n.output(n.conv(x, 4, 3, kernel=1, rank=3))


@network
def middle__enlarged_table_beside_bytes(n):
    """A function enlarged by its neighbours beside what has another range."""
    x = stem(n, size=16)
    y = n.op("Sigmoid", n.conv(x, 4, 4, stride=2))
    y = n.op("Resize", y, "", n.constant([1, 1, 2, 2]), mode="nearest",
             coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    n.output(n.conv(n.op("Concat", y, x, axis=1), 8, 3))
