"""Arrays for the driver's tests: arrays.py FOLDER."""
import pathlib
import sys

import numpy as np

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
save = lambda name, array: np.save(out / name, array)
f32 = np.float32

save("a.npy", np.array([[1, 2, 3, 4]], f32))
save("a_stack.npy", np.arange(12, dtype=f32).reshape(3, 4))
save("b.npy", np.array([10, 20, 30, 40], f32))
save("b_stack.npy", np.tile(np.array([10, 20, 30, 40], f32), (3, 1)))
save("sum.npy", np.array([[11, 22, 33, 44]], f32))
save("a_u8.npy", np.array([[1, 2, 3, 4]], np.uint8))
save("a_wide.npy", np.zeros((1, 5), f32))
save("a_big_endian.npy", np.zeros((1, 4), ">f4"))
save("a_complex.npy", np.zeros((1, 4), np.complex64))
save("a_nan.npy", np.array([[1, np.nan, 3, 4]], f32))
np.savez_compressed(out / "both.npz", a=np.array([[1, 2, 3, 4]], f32),
                    b=np.array([10, 20, 30, 40], f32))
np.savez(out / "others.npz", c=np.zeros(3, f32), d=np.zeros(2, f32))

# Images whose brightest channel is their class; the third label is wrong.
images = np.zeros((4, 2, 2, 3), np.uint8)
for i, channel in enumerate([0, 1, 2, 1]):
    images[i, :, :, channel] = 200
save("images.npy", images)
save("labels.npy", np.array([0, 1, 0, 1]))
save("labels_short.npy", np.array([0, 1]))
save("labels_big.npy", np.array([0, 1, 7, 1]))
save("labels_float.npy", np.array([0.0, 1, 0, 1]))

# Pictures of cnn.onnxtxt: any, and unusable ones.
digits = np.random.default_rng(0).random((8, 1, 6, 6), dtype=f32)
save("digits.npy", digits)
save("digit.npy", digits[:1])
save("digits_zero.npy", np.zeros_like(digits))
digits[3, 0, 2, 1] = np.nan
save("digits_nan.npy", digits)
many = np.random.default_rng(1).random((24, 1, 6, 6), dtype=f32)
save("many.npy", many)
many[20, 0, 0, 0] = np.nan
save("many_nan.npy", many)
save("digits_5x5.npy", np.zeros((2, 1, 5, 5), f32))
save("digits_labels.npy", np.array([0, 1, 2, 0, 1, 2, 0, 1]))

bytes_ = (out / "a.npy").read_bytes()
(out / "truncated.npy").write_bytes(bytes_[:-3])
(out / "header_only.npy").write_bytes(bytes_[:20])
(out / "empty.npy").write_bytes(b"")
(out / "text.npy").write_text("1 2 3 4\n")
zip_ = (out / "both.npz").read_bytes()
(out / "truncated.npz").write_bytes(zip_[: len(zip_) // 2])
huge = bytes_.replace(b"(1, 4)", b"(1<<9)")
(out / "bad_shape.npy").write_bytes(huge)
(out / "hostile_size.npy").write_bytes(
    bytes_.replace(b"'shape': (1, 4), }      ", b"'shape': (99999999999,), }"
                   [:24].ljust(24)))
