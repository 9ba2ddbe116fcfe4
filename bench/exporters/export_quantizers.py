"""export_quantizers.py OUT KIND: what quantization-aware training writes. KIND is
hgq2 (Keras 3, its own ONNX export) or qkeras (Keras 2, tf2onnx)."""
import os
import sys

KIND = sys.argv[2]
os.environ.update({"KERAS_BACKEND": "tensorflow"} if KIND == "hgq2" else
                  {"TF_USE_LEGACY_KERAS": "1"})

import numpy as np  # noqa: E402

from networks import export_all, make_parser  # noqa: E402
from samples import write_samples  # noqa: E402


def hgq2():
    import keras
    from hgq.config import LayerConfigScope, QuantizerConfigScope
    from hgq.layers import QConv2D, QDense

    def make(*layers):
        def build():
            with QuantizerConfigScope(place="all", default_q_type="kbi", b0=6), \
                    LayerConfigScope(enable_ebops=False):
                return keras.Sequential([layer() for layer in layers])
        return build

    def write(model, shape, path):
        model.export(path, format="onnx", verbose=False, input_signature=[
            keras.InputSpec(shape=shape, dtype="float32", name="x")])

    return write, {
        "perceptron": (make(lambda: keras.Input((16,)),
                            lambda: QDense(32, activation="relu"),
                            lambda: QDense(8)), (1, 16)),
        "convolutions": (make(lambda: keras.Input((12, 12, 3)),
                              lambda: QConv2D(8, 3, activation="relu"),
                              lambda: keras.layers.MaxPooling2D(),
                              lambda: QConv2D(12, 3, activation="relu"),
                              lambda: keras.layers.Flatten(),
                              lambda: QDense(6)), (1, 12, 12, 3)),
    }


def qkeras():
    import qkeras as q
    import tensorflow as tf
    import tf2onnx
    import tf_keras as keras

    def weights(bits):
        return dict(kernel_quantizer=q.quantized_bits(bits, 0, 1),
                    bias_quantizer=q.quantized_bits(8, 2, 1))

    def write(model, shape, path):
        tf2onnx.convert.from_function(
            tf.function(lambda x: model(x, training=False)),
            [tf.TensorSpec(shape, tf.float32, name="x")], opset=17,
            output_path=path)

    return write, {
        "perceptron": (lambda: keras.Sequential([
            keras.Input((16,)), q.QDense(32, **weights(4)),
            q.QActivation("quantized_relu(6,2)"), q.QDense(8, **weights(4))]),
            (1, 16)),
        "convolutions": (lambda: keras.Sequential([
            keras.Input((12, 12, 3)), q.QConv2D(8, 3, **weights(6)),
            q.QActivation("quantized_relu(6,2)"),
            q.QDepthwiseConv2D(3, depthwise_quantizer=q.quantized_bits(6, 0, 1)),
            q.QActivation("quantized_bits(8,3)"), keras.layers.Flatten(),
            q.QDense(6, **weights(8))]), (1, 12, 12, 3)),
    }


def main():
    parser = make_parser(__doc__)
    parser.add_argument("kind", choices=["hgq2", "qkeras"])
    write, networks = {"hgq2": hgq2, "qkeras": qkeras}[KIND]()

    def export(name, network, folder):
        make, shape = network
        np.random.seed(0)
        write(make(), shape, str(folder / "model.onnx"))
        random = np.random.default_rng(0)
        write_samples(folder, {"x": random.standard_normal(shape).astype("f")})

    export_all(parser.parse_args(), networks, export)


if __name__ == "__main__":
    main()
