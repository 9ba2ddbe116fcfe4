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


class Recurrent(nn.Layer):
    def __init__(self, kind, **options):
        super().__init__()
        self.layer = getattr(nn, kind)(12, 16, **options)
        self.head = nn.Linear(
            32 if options.get("direction") == "bidirect" else 16, 5)

    def forward(self, x):
        return self.head(self.layer(x)[0])


def recurrent(kind, **options):
    return (lambda: Recurrent(kind, **options)), (1, 10, 12)


class TextLines(nn.Layer):
    """Convolutions, a recurrent layer over columns, a softmax at each (PP-OCR)."""

    def __init__(self):
        super().__init__()
        self.look = nn.Sequential(
            nn.Conv2D(3, 12, 3, stride=2, padding=1), nn.BatchNorm2D(12),
            nn.Hardswish(), nn.Conv2D(12, 16, 3, padding=1), nn.ReLU(),
            nn.MaxPool2D((8, 1)))
        self.layer = nn.LSTM(16, 16, num_layers=2, direction="bidirect")
        self.head = nn.Linear(32, 11)

    def forward(self, x):
        x = self.look(x).squeeze(2).transpose([0, 2, 1])
        return nn.functional.softmax(self.head(self.layer(x)[0]), -1)


class Detector(nn.Layer):
    """Boxes and scores of two levels, decoded, the best kept."""

    def __init__(self):
        super().__init__()
        self.look = nn.Sequential(nn.Conv2D(3, 12, 3, stride=4, padding=1), nn.ReLU())
        self.down = nn.Sequential(nn.Conv2D(12, 12, 3, stride=2, padding=1), nn.ReLU())
        self.boxes = nn.Conv2D(12, 4 * 2, 3, padding=1)
        self.scores = nn.Conv2D(12, 3 * 2, 3, padding=1)

    def forward(self, x):
        near = self.look(x)
        levels = [near, self.down(near)]

        def rows(layer, width):
            return paddle.concat([layer(level).transpose([0, 2, 3, 1]).reshape(
                [1, -1, width]) for level in levels], 1)

        boxes = paddle.exp(nn.functional.hardtanh(rows(self.boxes, 4)))
        scores = nn.functional.softmax(rows(self.scores, 3), -1)
        top, where = paddle.topk(scores[0].max(-1), 8)
        return paddle.gather(boxes[0], where), top


NETWORKS = {
    "lstm": recurrent("LSTM"), "gru": recurrent("GRU"),
    "simple_rnn": recurrent("SimpleRNN"),
    "lstm_both": recurrent("LSTM", direction="bidirect", num_layers=2),
    "gru_both": recurrent("GRU", direction="bidirect"),
    "text_lines": (TextLines, (1, 3, 16, 48)), "detector": (Detector, 32),
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
    shape = [1, 3, size, size] if isinstance(size, int) else list(size)
    paddle.onnx.export(model, str(folder / "model"),
                       input_spec=[InputSpec(shape, "float32", "x")],
                       opset_version=16)
    random = np.random.default_rng(0)
    write_samples(folder, {"x": random.standard_normal(shape).astype("f")})


if __name__ == "__main__":
    export_all(make_parser(__doc__).parse_args(), NETWORKS, export)
