"""Writes what detector.c is to write: every sample under the interpreter."""
import pathlib
import subprocess
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1])
names = "columns", "scores", "found", "marks"
with open(folder / "expected", "wb") as file:
    for boxes, features in zip(np.load(folder / "boxes.npy"),
                               np.load(folder / "features.npy")):
        np.save(folder / "b.npy", boxes)
        np.save(folder / "f.npy", features)
        words = ["qopt", "run", folder / "detector.onnx", "--reference", "-q",
                 f"--input=boxes=@{folder}/b.npy",
                 f"--input=features=@{folder}/f.npy"]
        for name in names:
            words += ["-o", f"{name}=@{folder}/{name}.npy"]
        subprocess.run(words, check=True)
        for name in names:
            file.write(np.load(folder / f"{name}.npy").tobytes())
