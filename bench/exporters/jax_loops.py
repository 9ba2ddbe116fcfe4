"""Loops of JAX, Flax's recurrent cells, sorting and experts."""
import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax


class Called(nnx.Module):
    """Weights by name and a function of them and the input."""

    def __init__(self, keys, function, **shapes):
        for name, shape in shapes.items():
            setattr(self, name, nnx.Param(jax.random.normal(
                keys.params(), shape) / shape[0] ** 0.5))
        self.function = function

    def __call__(self, x):
        return self.function(self, x)


def called(function, shape, **shapes):
    return (lambda keys: Called(keys, function, **shapes)), shape


def scan(self, x):
    def step(state, row):
        state = jnp.tanh(row @ self.u[...] + state @ self.w[...])
        return state, state @ self.v[...]
    return lax.scan(step, jnp.zeros((12,)), x[0])[1]


def scan_back(self, x):
    def step(state, row):
        state = jnp.tanh(row @ self.u[...] + state @ self.w[...])
        return state, state
    last, rows = lax.scan(step, jnp.zeros((12,)), x[0], reverse=True)
    return last @ self.v[...], rows


def fori(self, x):
    return lax.fori_loop(
        0, 4, lambda i, y: jnp.tanh(y @ self.w[...]) + y, x) @ self.v[...]


def halving(self, x):
    """Runs until the state is small: data decide how often."""
    def go_on(state):
        return (state[0] < 20) & (jnp.abs(state[1]).max() > 0.1)
    return lax.while_loop(go_on, lambda s: (
        s[0] + 1, jnp.tanh(s[1] @ self.w[...]) * 0.5), (0, x))[1] @ self.v[...]


def counted(self, x):
    return lax.while_loop(lambda s: s[0] < 3, lambda s: (
        s[0] + 1, s[1] @ self.w[...]), (0, x))[1] @ self.v[...]


def prefix(self, x):
    """A linear recurrence by an associative scan."""
    gate = jax.nn.sigmoid(x @ self.u[...])
    return lax.associative_scan(
        lambda a, b: (a[0] * b[0], a[1] * b[0] + b[1]),
        (gate, x @ self.w[...]), axis=1)[1] @ self.v[...]


def best(self, x):
    top, where = lax.top_k(x @ self.w[...], 3)
    return jax.nn.softmax(top), where


def experts(self, x):
    share, where = lax.top_k(jax.nn.softmax(x @ self.gate[...]), 2)
    chosen = (jax.nn.one_hot(where, 4) * share[..., None]).sum(-2)
    y = jnp.einsum("bni,eio->bneo", x, self.up[...])
    return jnp.einsum("bneo,eoi,bne->bni", jax.nn.relu(y), self.down[...], chosen)


def sums(self, x):
    return jnp.cumsum(x @ self.w[...], axis=1) @ self.v[...]


def sorted_rows(self, x):
    return jnp.sort(x @ self.w[...], -1)


def chosen(self, x):
    """One of two branches, by data."""
    return lax.cond(x.sum() > 0, lambda y: jnp.tanh(y @ self.w[...]),
                    lambda y: y @ self.w[...] * 0.5, x) @ self.v[...]


def spectrum(self, x):
    return jnp.abs(jnp.fft.rfft(x)) @ self.w[...]


class Cell(nnx.Module):
    def __init__(self, keys, kind):
        self.cell = getattr(nnx, kind)(8, 16, rngs=keys)
        self.head = nnx.Linear(16, 4, rngs=keys)
        self.states = 2 if "LSTM" in kind else 1

    def __call__(self, x):
        state = jnp.zeros((16,))
        state = (state, state) if self.states == 2 else state
        return self.head(lax.scan(self.cell, state, x[0])[1])


def cell(kind):
    return (lambda keys: Cell(keys, kind)), (1, 10, 8)


WIDE, SQUARE = (1, 10, 8), (1, 12)
RECURRENT = dict(u=(8, 12), w=(12, 12), v=(12, 4))
NETWORKS = {
    "scan": called(scan, WIDE, **RECURRENT),
    "scan_back": called(scan_back, WIDE, **RECURRENT),
    "fori": called(fori, SQUARE, w=(12, 12), v=(12, 4)),
    "halving": called(halving, SQUARE, w=(12, 12), v=(12, 4)),
    "counted": called(counted, SQUARE, w=(12, 12), v=(12, 4)),
    "prefix": called(prefix, WIDE, u=(8, 12), w=(8, 12), v=(12, 4)),
    "best": called(best, SQUARE, w=(12, 9)),
    "experts": called(experts, WIDE, gate=(8, 4), up=(4, 8, 16), down=(4, 16, 8)),
    "sums": called(sums, WIDE, w=(8, 12), v=(12, 4)),
    "sorted": called(sorted_rows, SQUARE, w=(12, 9)),
    "chosen": called(chosen, SQUARE, w=(12, 12), v=(12, 4)),
    "spectrum": called(spectrum, (1, 64), w=(33, 6)),
    "lstm": cell("LSTMCell"), "lstm_optimized": cell("OptimizedLSTMCell"),
    "gru": cell("GRUCell"), "simple_rnn": cell("SimpleCell"),
}
