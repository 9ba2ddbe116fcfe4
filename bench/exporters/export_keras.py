"""export_keras.py OUT: Keras networks through tf2onnx (channels last, as TensorFlow
has them)."""
import numpy as np
import tensorflow as tf
import tf2onnx
from tensorflow import keras
from tensorflow.keras import layers

import keras_recurrent
from networks import export_all, make_parser
from samples import write_samples


def convolutions():
    return keras.Sequential([
        keras.Input((32, 32, 3)), layers.Conv2D(16, 3, activation="relu"),
        layers.BatchNormalization(), layers.MaxPooling2D(),
        layers.SeparableConv2D(24, 3, padding="same", activation="relu"),
        layers.GlobalAveragePooling2D(), layers.Dense(10, activation="softmax")])


def autoencoder():
    return keras.Sequential([
        keras.Input((64,)), layers.Dense(32, activation="relu"),
        layers.Dense(8), layers.LeakyReLU(), layers.Dense(32, activation="elu"),
        layers.Dense(64, activation="tanh")])


def encoder_block():
    x = keras.Input((16, 32))
    y = layers.LayerNormalization()(x)
    y = layers.MultiHeadAttention(4, 8)(y, y)
    x1 = layers.Add()([x, y])
    y = layers.LayerNormalization()(x1)
    # The exact form is written as an Erfc that ONNX does not have.
    y = layers.Activation(lambda z: keras.activations.gelu(z, approximate=True))(
        layers.Dense(64)(y))
    y = layers.Dense(32)(y)
    return keras.Model(x, layers.Add()([x1, y]))


def upsampling():
    return keras.Sequential([
        keras.Input((16, 16, 4)), layers.Conv2D(8, 3, strides=2, padding="same"),
        layers.UpSampling2D(2, interpolation="bilinear"),
        layers.Conv2DTranspose(6, 3, strides=2, padding="same", activation="relu"),
        layers.UpSampling2D(2, interpolation="nearest"), layers.Conv2D(3, 1)])


def sequence():
    return keras.Sequential([
        keras.Input((48, 8)), layers.Conv1D(16, 5, padding="causal"),
        layers.ReLU(), layers.Conv1D(16, 3, dilation_rate=2, padding="causal"),
        layers.GlobalMaxPooling1D(), layers.Dense(4, activation="sigmoid")])


def recurrent():
    return keras.Sequential([
        keras.Input((12, 8)), layers.LSTM(16), layers.Dense(4)])


def residual():
    x = keras.Input((24, 24, 3))
    y = layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    z = layers.DepthwiseConv2D(3, padding="same", activation="relu6")(y)
    z = layers.Conv2D(16, 1)(z)
    z = layers.Add()([y, z])
    z = layers.Concatenate()([layers.AveragePooling2D(2)(z), layers.MaxPooling2D(2)(z)])
    z = layers.Conv2D(24, 3, strides=2, activation="swish")(z)
    return keras.Model(x, layers.Dense(5)(layers.Flatten()(z)))


def attention():
    x = keras.Input((12, 16))
    y = layers.Attention()([layers.Dense(16)(x), layers.Dense(16)(x),
                            layers.Dense(16)(x)])
    y = layers.GroupNormalization(4)(layers.PReLU(shared_axes=[1])(y))
    return keras.Model(x, layers.Dense(6, activation="softplus")(y))


def application(name, size=64, **options):
    return lambda: getattr(keras.applications, name)(
        weights=None, input_shape=(size, size, 3), classes=10,
        classifier_activation=None, **options)


def shake(model):
    """Normalizations as after training: statistics and gains that are not 0 and 1."""
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            shapes = [value.shape for value in layer.get_weights()]
            random = np.random.default_rng(0)
            values = [random.normal(0, 0.3, shape) for shape in shapes]
            values[0] = random.uniform(0.5, 1.5, shapes[0])
            values[-1] = random.uniform(0.5, 2, shapes[-1])
            layer.set_weights(values)


NETWORKS = {
    "convolutions": convolutions, "autoencoder": autoencoder,
    "encoder_block": encoder_block, "upsampling": upsampling,
    "sequence": sequence, "recurrent": recurrent, "residual": residual,
    "attention": attention,
    "mobilenet_v2": application("MobileNetV2", alpha=0.35),
    "mobilenet_v3": application("MobileNetV3Small", include_preprocessing=False),
    "mobilenet_v1": application("MobileNet", alpha=0.25),
    **keras_recurrent.NETWORKS,
}


def export(name, make, folder):
    keras.utils.set_random_seed(0)
    model = make()
    shake(model)
    shape = (1, *model.inputs[0].shape[1:])
    function = tf.function(lambda x: model(x, training=False))
    tf2onnx.convert.from_function(
        function, [tf.TensorSpec(shape, tf.float32, name="x")], opset=17,
        output_path=str(folder / "model.onnx"))
    random = np.random.default_rng(0)
    write_samples(folder, {"x": random.standard_normal(shape).astype("f")})


if __name__ == "__main__":
    export_all(make_parser(__doc__).parse_args(), NETWORKS, export)
