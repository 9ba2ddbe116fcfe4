"""export_paddle.py OUT: Paddle networks through paddle2onnx."""
import argparse
import pathlib
import re

import numpy as np
import paddle
from paddle.static import InputSpec

from samples import write_samples

NETWORKS = {
    "resnet18": (lambda: paddle.vision.models.resnet18(num_classes=10), 64),
    "mobilenet_v1": (lambda: paddle.vision.models.mobilenet_v1(
        scale=0.25, num_classes=10), 64),
    "mobilenet_v3": (lambda: paddle.vision.models.mobilenet_v3_small(
        scale=0.5, num_classes=10), 64),
    "shufflenet": (lambda: paddle.vision.models.shufflenet_v2_x0_25(
        num_classes=10), 64),
    "squeezenet": (lambda: paddle.vision.models.squeezenet1_1(num_classes=10), 64),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    for name, (make, size) in NETWORKS.items():
        folder = options.out / name
        if not re.search(options.only, name) or (folder / "samples.npz").exists():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        try:
            paddle.seed(0)
            model = make()
            model.eval()
            shape = [1, 3, size, size]
            paddle.onnx.export(model, str(folder / "model"),
                               input_spec=[InputSpec(shape, "float32", "x")],
                               opset_version=16)
            random = np.random.default_rng(0)
            write_samples(folder, {"x": random.standard_normal(shape).astype("f")})
        except Exception as error:
            line = (str(error).strip() or type(error).__name__).splitlines()[0]
            (folder / "not-exported.txt").write_text(line)
            print(f"{name}: {line[:160]}", flush=True)


if __name__ == "__main__":
    main()
