"""export_jax.py OUT: Flax networks through jax2onnx."""
import jax
import jax.numpy as jnp
import numpy as np
import onnx
from flax import nnx
from jax2onnx import to_onnx

import jax_loops
from networks import export_all, make_parser
from samples import write_samples


class Convolutions(nnx.Module):
    def __init__(self, keys):
        self.first = nnx.Conv(3, 16, (3, 3), rngs=keys)
        self.norm = nnx.BatchNorm(16, use_running_average=True, rngs=keys)
        self.second = nnx.Conv(16, 24, (3, 3), strides=2, rngs=keys)
        self.head = nnx.Linear(24, 10, rngs=keys)

    def __call__(self, x):
        x = nnx.relu(self.norm(self.first(x)))
        x = nnx.avg_pool(x, window_shape=(2, 2), strides=(2, 2))
        return self.head(jnp.mean(nnx.gelu(self.second(x)), (1, 2)))


class Block(nnx.Module):
    def __init__(self, keys):
        self.norm1 = nnx.LayerNorm(32, rngs=keys)
        self.norm2 = nnx.RMSNorm(32, rngs=keys)
        self.attention = nnx.MultiHeadAttention(4, 32, decode=False, rngs=keys)
        self.up = nnx.Linear(32, 64, rngs=keys)
        self.gate = nnx.Linear(32, 64, rngs=keys)
        self.down = nnx.Linear(64, 32, rngs=keys)

    def __call__(self, x):
        x = x + self.attention(self.norm1(x))
        y = self.norm2(x)
        return x + self.down(nnx.silu(self.gate(y)) * self.up(y))


class Perceptron(nnx.Module):
    def __init__(self, keys):
        self.layers = nnx.List([nnx.Linear(20, 48, rngs=keys),
                                nnx.Linear(48, 48, rngs=keys),
                                nnx.Linear(48, 5, rngs=keys)])

    def __call__(self, x):
        for layer in self.layers[:-1]:
            x = nnx.tanh(layer(x))
        return nnx.log_softmax(self.layers[-1](x))


class Mixer(nnx.Module):
    def __init__(self, keys):
        self.patch = nnx.Conv(3, 32, (4, 4), strides=4, rngs=keys)
        self.across = nnx.Linear(64, 64, rngs=keys)
        self.norm = nnx.GroupNorm(32, num_groups=4, rngs=keys)
        self.along = nnx.Linear(32, 32, rngs=keys)

    def __call__(self, x):
        x = self.patch(x).reshape(x.shape[0], 64, 32)
        x = x + jnp.einsum("bnc,nm->bmc", x, self.across.kernel[...])
        return nnx.elu(self.along(self.norm(x))).mean(1)


class Residual(nnx.Module):
    def __init__(self, keys):
        self.stem = nnx.Conv(3, 16, (3, 3), strides=2, rngs=keys)
        self.depthwise = nnx.Conv(16, 16, (3, 3), feature_group_count=16, rngs=keys)
        self.up = nnx.Conv(16, 48, (1, 1), rngs=keys)
        self.down = nnx.Conv(48, 16, (1, 1), rngs=keys)
        self.head = nnx.Linear(16, 10, rngs=keys)

    def __call__(self, x):
        x = nnx.swish(self.stem(x))
        y = nnx.relu6(self.up(nnx.relu(self.depthwise(x))))
        return nnx.softmax(self.head((x + self.down(y)).mean((1, 2))))


class Causal(nnx.Module):
    def __init__(self, keys):
        self.embed = nnx.Linear(24, 32, rngs=keys)
        self.queries = nnx.Linear(32, 32, rngs=keys)
        self.keys = nnx.Linear(32, 32, rngs=keys)
        self.values = nnx.Linear(32, 32, rngs=keys)
        self.head = nnx.Linear(32, 11, rngs=keys)

    def __call__(self, x):
        x = jnp.sin(self.embed(x))
        scores = self.queries(x) @ jnp.swapaxes(self.keys(x), -1, -2) / 32 ** 0.5
        mask = jnp.tril(jnp.ones((12, 12), bool))
        scores = jax.nn.softmax(jnp.where(mask, scores, -1e9))
        return self.head(nnx.leaky_relu(x + scores @ self.values(x)))


NETWORKS = {
    "convolutions": (Convolutions, (1, 16, 16, 3)), "block": (Block, (1, 16, 32)),
    "perceptron": (Perceptron, (1, 20)), "mixer": (Mixer, (1, 32, 32, 3)),
    "residual": (Residual, (1, 24, 24, 3)), "causal": (Causal, (1, 12, 24)),
    **jax_loops.NETWORKS,
}


def export(name, network, folder):
    make, shape = network
    to_onnx(make(nnx.Rngs(0)), [jax.ShapeDtypeStruct(shape, jnp.float32)],
            return_mode="file", output_path=str(folder / "model.onnx"))
    key = onnx.load(str(folder / "model.onnx")).graph.input[0].name
    random = np.random.default_rng(0)
    write_samples(folder, {key: random.standard_normal(shape).astype("f")})


if __name__ == "__main__":
    export_all(make_parser(__doc__).parse_args(), NETWORKS, export)
