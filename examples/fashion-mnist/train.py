#!/usr/bin/env python3
# ===- train.py - train the example network and export it to ONNX ---------=== #
# SPDX-License-Identifier: Apache-2.0
#
# The committed fashion-mnist.onnx comes from here, so that the example's model
# has no origin but this repository. Needs jax, numpy, onnx and onnxruntime,
# none of which qopt's build needs. The batch normalizations are exported as
# nodes of their own: folding them is qopt's work to show.
# ===----------------------------------------------------------------------=== #
"""Train a small CNN on Fashion-MNIST and write it as ONNX."""

import argparse
import functools
import os
import pathlib
import sys
import time

# One thread: the order of every floating-point sum is then fixed, so that the
# same jaxlib on the same CPU trains the same weights. jax reads this on import.
os.environ["XLA_FLAGS"] = (
    "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import data

CLASSES = 10
BATCH = 32
PEAK_RATE = 0.05
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4
LABEL_SMOOTHING = 0.1
MAX_SHIFT = 1  # pixel, in each direction
BATCH_NORM_EPSILON = 1e-5
BATCH_NORM_MOMENTUM = 0.9
EXPORT_TOLERANCE = 1e-4

# The network, read by both the trainer and the exporter. A step is
# (kind, name, arguments); `mark` remembers a tensor, `add` adds it back.
#   conv: filter side, stride, output channels    depthwise: stride
NETWORK = (
    ("conv", "stem", (3, 1, 16)), ("bn", "stem"), ("relu", "stem"),
    # 28x28x16 -> 14x14x24, separable
    ("depthwise", "down1/dw", (2,)), ("bn", "down1/dw"), ("relu6", "down1/dw"),
    ("conv", "down1/pw", (1, 1, 24)), ("bn", "down1/pw"),
    ("relu6", "down1/pw"),
    # a plain residual block
    ("mark", "res1"),
    ("conv", "res1/a", (3, 1, 24)), ("bn", "res1/a"), ("relu", "res1/a"),
    ("conv", "res1/b", (3, 1, 24)), ("bn", "res1/b"),
    ("add", "res1"), ("relu", "res1"),
    # 14x14x24 -> 7x7x64, separable
    ("depthwise", "down2/dw", (2,)), ("bn", "down2/dw"), ("relu6", "down2/dw"),
    ("conv", "down2/pw", (1, 1, 64)), ("bn", "down2/pw"),
    ("relu6", "down2/pw"),
    # an inverted residual block, whose sum has no activation
    ("mark", "res2"),
    ("conv", "res2/expand", (1, 1, 128)), ("bn", "res2/expand"),
    ("relu6", "res2/expand"),
    ("depthwise", "res2/dw", (1,)), ("bn", "res2/dw"), ("relu6", "res2/dw"),
    ("conv", "res2/project", (1, 1, 64)), ("bn", "res2/project"),
    ("add", "res2"),
    ("conv", "head", (1, 1, 128)), ("bn", "head"), ("relu6", "head"),
    ("pool", "pool"),
    ("gemm", "classifier", (CLASSES,)),
)


# ---- operations that XLA's CPU backend compiles badly -----------------------
# jaxlib 0.10 runs a grouped convolution about 30 times slower than nine shifted
# products, and a sum fused with a product about 8 times slower than additions
# of halves; a step would take several times as long without these three.


def sum_rows(matrix):
    """The sum over the first axis, by adding halves."""
    while matrix.shape[0] % 2 == 0 and matrix.shape[0] > 64:
        half = matrix.shape[0] // 2
        matrix = matrix[:half] + matrix[half:]
    return jnp.sum(matrix, 0)


def shifted(padded, height, width, stride):
    """The nine windows (row, column, view) of a 3x3 filter."""
    for i in range(3):
        for j in range(3):
            yield i, j, padded[
                :,
                i : i + stride * (height - 1) + 1 : stride,
                j : j + stride * (width - 1) + 1 : stride,
            ]


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def depthwise(x, weight, stride):
    """A 3x3 depthwise convolution, NHWC, padding 1; weight is (3,3,C)."""
    return depthwise_forward(x, weight, stride)[0]


def depthwise_forward(x, weight, stride):
    padded = jax.lax.optimization_barrier(
        jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    )
    height, width = ((n - 1) // stride + 1 for n in x.shape[1:3])
    windows = shifted(padded, height, width, stride)
    return sum(w * weight[i, j] for i, j, w in windows), (padded, weight)


def depthwise_backward(stride, saved, gradient):
    padded, weight = saved
    _, height, width, channels = gradient.shape
    full_height, full_width = padded.shape[1] - 2, padded.shape[2] - 2
    # Spread the gradient to the input's grid; the filter is walked backwards.
    spread = jax.lax.optimization_barrier(
        jax.lax.pad(
            gradient,
            0.0,
            (
                (0, 0, 0),
                (1, full_height - (height - 1) * stride, stride - 1),
                (1, full_width - (width - 1) * stride, stride - 1),
                (0, 0, 0),
            ),
        )
    )
    windows = shifted(spread, full_height, full_width, 1)
    to_input = sum(w * weight[2 - i, 2 - j] for i, j, w in windows)
    windows = shifted(padded, height, width, stride)
    to_weight = jnp.stack(
        [sum_rows((w * gradient).reshape(-1, channels)) for _, _, w in windows]
    )
    return to_input, to_weight.reshape(weight.shape)


depthwise.defvjp(depthwise_forward, depthwise_backward)


@jax.custom_vjp
def batch_norm(x, scale, shift):
    """x normalized over all but its last axis, and the mean and variance."""
    return batch_norm_forward(x, scale, shift)[0]


def batch_norm_forward(x, scale, shift):
    rows = x.reshape(-1, x.shape[-1])
    mean = sum_rows(rows) / rows.shape[0]
    variance = sum_rows((rows - mean) ** 2) / rows.shape[0]
    inverse = jax.lax.rsqrt(variance + BATCH_NORM_EPSILON)
    normal = (x - mean) * inverse
    result = normal * scale + shift, mean, variance
    return result, (normal, inverse, scale)


def batch_norm_backward(saved, gradients):
    normal, inverse, scale = saved
    gradient = gradients[0]  # nothing is learned through the running statistics
    channels = gradient.shape[-1]
    count = gradient.size // channels
    to_shift = sum_rows(gradient.reshape(-1, channels))
    to_scale = sum_rows((gradient * normal).reshape(-1, channels))
    centred = gradient - (to_shift + normal * to_scale) / count
    return centred * (scale * inverse), to_scale, to_shift


batch_norm.defvjp(batch_norm_forward, batch_norm_backward)


def convolve(x, weight, stride):
    """A convolution, NHWC and HWIO, padded to keep the size at stride 1."""
    side, _, inputs, outputs = weight.shape
    if side == 1 and stride == 1:
        return x @ weight[0, 0]
    if inputs == 1:  # XLA's weight gradient is slow for a single channel
        _, height, width, _ = x.shape
        padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        windows = [w for _, _, w in shifted(padded, height, width, stride)]
        return jnp.concatenate(windows, -1) @ weight.reshape(-1, outputs)
    pad = (side // 2, side // 2)
    return jax.lax.conv_general_dilated(
        x, weight, (stride, stride), (pad, pad),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


# ---- the network ------------------------------------------------------------


def initialize(random):
    """He-initialized parameters and the running statistics."""
    parameters, running = {}, {}
    channels = 1
    for kind, name, *arguments in NETWORK:
        if kind == "conv":
            side, _, outputs = arguments[0]
            shape, fan_in = (side, side, channels, outputs), side**2 * channels
            channels = outputs
        elif kind == "depthwise":
            shape, fan_in = (3, 3, channels), 9
        elif kind == "gemm":
            (outputs,) = arguments[0]
            shape, fan_in = (channels, outputs), 2 * channels
            parameters[name + "/bias"] = np.zeros(outputs, np.float32)
        elif kind == "bn":
            parameters[name + "/scale"] = np.ones(channels, np.float32)
            parameters[name + "/shift"] = np.zeros(channels, np.float32)
            running[name + "/mean"] = np.zeros(channels, np.float32)
            running[name + "/variance"] = np.ones(channels, np.float32)
            continue
        else:
            continue
        deviation = (2 / fan_in) ** 0.5
        weight = random.normal(0, deviation, shape).astype(np.float32)
        parameters[name + "/weight"] = weight
    return parameters, running


def normalize(parameters, running, name, x, training):
    """A batch normalization and, in training, its new running statistics."""
    scale, shift = parameters[name + "/scale"], parameters[name + "/shift"]
    mean, variance = running[name + "/mean"], running[name + "/variance"]
    if not training:
        inverse = jax.lax.rsqrt(variance + BATCH_NORM_EPSILON)
        return (x - mean) * (inverse * scale) + shift, {}
    y, batch_mean, batch_variance = batch_norm(x, scale, shift)
    keep = BATCH_NORM_MOMENTUM
    return y, {
        name + "/mean": keep * mean + (1 - keep) * batch_mean,
        name + "/variance": keep * variance + (1 - keep) * batch_variance,
    }


def forward(parameters, running, x, training):
    """Logits of NHWC images, and the new running statistics."""
    marks, statistics = {}, {}
    for kind, name, *arguments in NETWORK:
        if kind == "conv":
            x = convolve(x, parameters[name + "/weight"], arguments[0][1])
        elif kind == "depthwise":
            x = depthwise(x, parameters[name + "/weight"], arguments[0][0])
        elif kind == "bn":
            x, new = normalize(parameters, running, name, x, training)
            statistics.update(new)
        elif kind == "relu":
            x = jnp.maximum(x, 0)
        elif kind == "relu6":
            x = jnp.clip(x, 0, 6)
        elif kind == "mark":
            marks[name] = x
        elif kind == "add":
            x = x + marks[name]
        elif kind == "pool":
            x = jnp.mean(x, (1, 2))
        else:
            x = x @ parameters[name + "/weight"] + parameters[name + "/bias"]
    return x, statistics


# ---- training ---------------------------------------------------------------


def augment(random, images):
    """Each image mirrored with probability 1/2 and shifted by some pixels."""
    count, side = images.shape[0], images.shape[1]
    margin = ((0, 0), (MAX_SHIFT, MAX_SHIFT), (MAX_SHIFT, MAX_SHIFT))
    padded = np.pad(images, margin)
    offsets = random.integers(0, 2 * MAX_SHIFT + 1, (2, count, 1))
    rows = offsets[0] + np.arange(side)
    columns = offsets[1] + np.arange(side)
    mirrored = random.random(count) < 0.5
    columns[mirrored] = columns[mirrored, ::-1]
    which = np.arange(count)[:, None, None]
    return padded[which, rows[:, :, None], columns[:, None, :]]


def loss_of(parameters, running, images, labels):
    """Smoothed cross entropy, and the new running statistics."""
    x = images[..., None].astype(jnp.float32) / 255
    logits, statistics = forward(parameters, running, x, training=True)
    likely = jax.nn.log_softmax(logits)
    truth = jnp.take_along_axis(likely, labels[:, None], 1)[:, 0]
    smooth = LABEL_SMOOTHING
    loss = -((1 - smooth) * truth + smooth * likely.mean(1)).mean()
    return loss, statistics


@functools.partial(jax.jit, donate_argnums=(0, 1, 2))
def train_step(parameters, velocity, running, images, labels, rate):
    """One step of SGD with Nesterov momentum."""
    (loss, running), gradients = jax.value_and_grad(loss_of, has_aux=True)(
        parameters, running, images, labels
    )
    for name, gradient in gradients.items():
        if name.endswith("/weight"):
            gradient = gradient + WEIGHT_DECAY * parameters[name]
        velocity[name] = MOMENTUM * velocity[name] + gradient
        step = gradient + MOMENTUM * velocity[name]
        parameters[name] = parameters[name] - rate * step
    return parameters, velocity, running, loss


def rate_at(step, steps):
    """Linear warm-up over the first fifth, then linear to zero."""
    rise = steps // 5
    return PEAK_RATE * min((step + 1) / rise, (steps - step) / (steps - rise))


def train(images, labels, epochs, seed):
    """Trained parameters and running statistics."""
    random = np.random.default_rng(seed)
    parameters, running = initialize(random)
    velocity = {name: np.zeros_like(p) for name, p in parameters.items()}
    per_epoch = len(images) // BATCH
    steps = epochs * per_epoch
    start = time.monotonic()
    for epoch in range(epochs):
        order = random.permutation(len(images))[: per_epoch * BATCH]
        total = 0.0
        for i, batch in enumerate(order.reshape(per_epoch, BATCH)):
            rate = np.float32(rate_at(epoch * per_epoch + i, steps))
            parameters, velocity, running, loss = train_step(
                parameters, velocity, running,
                augment(random, images[batch]), labels[batch], rate,
            )
            total += float(loss)
        print(
            f"epoch {epoch + 1}/{epochs}: loss {total / per_epoch:.4f}, "
            f"{time.monotonic() - start:.0f} s",
            flush=True,
        )
    return jax.device_get((parameters, running))


def predict(parameters, running, images):
    """Logits of u8 images (N,28,28)."""
    infer = jax.jit(functools.partial(forward, training=False))
    chunks = [
        infer(parameters, running, chunk[..., None].astype(np.float32) / 255)[0]
        for chunk in np.split(images, range(1000, len(images), 1000))
    ]
    return np.concatenate(chunks)


# ---- export -----------------------------------------------------------------


class Exporter:
    """Builds the ONNX graph, NCHW and OIHW, one node per step."""

    def __init__(self, parameters, running):
        self.values = {**parameters, **running}
        self.nodes = []
        self.initializers = {}
        self.tensor = "image"

    def constant(self, name, array):
        if name not in self.initializers:
            array = np.ascontiguousarray(array, np.float32)
            self.initializers[name] = numpy_helper.from_array(array, name)
        return name

    def value(self, name):
        return self.constant(name, self.values[name])

    def append(self, operator, name, inputs=(), output=None, **attributes):
        output = output or f"{name}/{operator}"
        self.nodes.append(
            helper.make_node(
                operator, [self.tensor, *inputs], [output],
                name=f"{name}/{operator}", **attributes,
            )
        )
        self.tensor = output

    def convolution(self, name, weight, stride, group):
        side = weight.shape[2]
        self.append(
            "Conv", name, [self.constant(name + "/weight", weight)],
            kernel_shape=[side, side], strides=[stride, stride],
            pads=[side // 2] * 4, group=group,
        )

    def activation(self, kind, name):
        if kind == "relu":
            self.append("Relu", name)
            return
        bounds = self.constant("zero", 0.0), self.constant("six", 6.0)
        self.append("Clip", name, bounds)

    def normalization(self, name):
        names = ("scale", "shift", "mean", "variance")
        self.append(
            "BatchNormalization", name,
            [self.value(f"{name}/{n}") for n in names],
            epsilon=BATCH_NORM_EPSILON,
        )

    def classifier(self, name):
        self.append("Flatten", name, axis=1)
        weight = self.constant(
            name + "/weight", self.values[name + "/weight"].T
        )
        self.append(
            "Gemm", name, [weight, self.value(name + "/bias")],
            output="logits", transB=1,
        )

    def build(self):
        marks = {}
        for kind, name, *arguments in NETWORK:
            weight = self.values.get(name + "/weight")
            if kind == "conv":
                weight = weight.transpose(3, 2, 0, 1)
                self.convolution(name, weight, arguments[0][1], group=1)
            elif kind == "depthwise":
                weight = weight.transpose(2, 0, 1)[:, None]
                self.convolution(
                    name, weight, arguments[0][0], group=len(weight)
                )
            elif kind == "bn":
                self.normalization(name)
            elif kind in ("relu", "relu6"):
                self.activation(kind, name)
            elif kind == "mark":
                marks[name] = self.tensor
            elif kind == "add":
                self.append("Add", name, [marks[name]])
            elif kind == "pool":
                self.append("GlobalAveragePool", name)
            else:
                self.classifier(name)
        return self.model()

    def model(self):
        image = helper.make_tensor_value_info(
            "image", TensorProto.FLOAT, (1, 1, 28, 28)
        )
        logits = helper.make_tensor_value_info(
            "logits", TensorProto.FLOAT, (1, CLASSES)
        )
        graph = helper.make_graph(
            self.nodes, "fashion-mnist", [image], [logits],
            list(self.initializers.values()),
        )
        model = helper.make_model(
            graph, ir_version=8, producer_name="qopt-example",
            opset_imports=[helper.make_opsetid("", 17)],
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def run_onnx(path, images):
    """Logits of u8 images (N,28,28) by ONNX Runtime, one image a call."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        path, options, providers=["CPUExecutionProvider"]
    )
    scaled = images[:, None, None].astype(np.float32) / 255
    return np.concatenate([session.run(None, {"image": x})[0] for x in scaled])


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=pathlib.Path,
                        default=here / "fashion-mnist.onnx")
    parser.add_argument("--source", type=pathlib.Path,
                        default=data.PACKAGE_FOLDER,
                        help="folder of the IDX files")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    images, labels = data.read_split("train", arguments.source)
    parameters, running = train(
        images[:, 0], labels.astype(np.int32), arguments.epochs, arguments.seed
    )
    onnx.save(Exporter(parameters, running).build(), arguments.output)

    images, labels = data.read_split("t10k", arguments.source)
    expected = predict(parameters, running, images[:, 0])
    actual = run_onnx(arguments.output, images[:, 0])
    difference = np.abs(actual - expected).max()
    accuracy = (actual.argmax(1) == labels).mean()
    print(f"{arguments.output}: {arguments.output.stat().st_size} bytes")
    print(f"test accuracy {accuracy:.2%}")
    print(f"largest difference from jax {difference:.2e}")
    if not difference <= EXPORT_TOLERANCE:
        sys.exit(f"train.py: expected at most {EXPORT_TOLERANCE:.0e}")


if __name__ == "__main__":
    main()
