"""export_paddle.py OUT: Paddle networks through paddle2onnx."""
import numpy as np
import paddle
from paddle import nn
from paddle.static import InputSpec

from networks import export_all, make_parser
from samples import write_samples

def decoder():
    return nn.Sequential(
        nn.Conv2D(3, 16, 3, stride=2, padding=1), nn.BatchNorm2D(16), nn.Hardswish(),
        nn.Conv2DTranspose(16, 8, 4, stride=2, padding=1), nn.PReLU(),
        nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2D(8, 3, 3, padding=1),
        nn.Sigmoid())


def encoder():
    return nn.Sequential(
        nn.Conv2D(3, 32, 8, stride=8), nn.Flatten(2),
        nn.TransformerEncoderLayer(16, 4, 64, dropout=0.0, activation="gelu"))


NETWORKS = {
    "decoder": (decoder, 32),
    "encoder": (encoder, 32),
    "mobilenet_v1": (lambda: paddle.vision.models.mobilenet_v1(
        scale=0.25, num_classes=10), 64),
    "mobilenet_v3": (lambda: paddle.vision.models.mobilenet_v3_small(
        scale=0.5, num_classes=10), 64),
    "shufflenet": (lambda: paddle.vision.models.shufflenet_v2_x0_25(
        num_classes=10), 64),
    "squeezenet": (lambda: paddle.vision.models.squeezenet1_1(num_classes=10), 64),
}


def export(name, network, folder):
    make, size = network
    paddle.seed(0)
    model = make()
    model.eval()
    shape = [1, 3, size, size]
    paddle.onnx.export(model, str(folder / "model"),
                       input_spec=[InputSpec(shape, "float32", "x")],
                       opset_version=16)
    random = np.random.default_rng(0)
    write_samples(folder, {"x": random.standard_normal(shape).astype("f")})


if __name__ == "__main__":
    export_all(make_parser(__doc__).parse_args(), NETWORKS, export)
