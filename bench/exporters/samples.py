"""What all exporting scripts write beside a model: random samples of its inputs."""
import numpy as np

SAMPLES = 24


def write_samples(folder, example, seed=0):
    """`samples.npz`: SAMPLES drafts of each input, stacked. Floats are normal, or
    as wide as the example where that has a scale; integers lie in the example's
    range, and an input that is constant in the example (a mask) stays as it is."""
    random = np.random.default_rng(seed)

    def draft(value):
        value = np.asarray(value)
        if value.dtype.kind == "f":
            return (random.standard_normal(value.shape) *
                    (value.std() or 1) + value.mean()).astype(value.dtype)
        if value.min() == value.max():
            return value
        return random.integers(value.min(), value.max() + 1,
                               value.shape).astype(value.dtype)

    np.savez(folder / "samples.npz", **{
        key: np.stack([draft(value) for _ in range(SAMPLES)])
        for key, value in example.items()})
