"""Recurrent Keras networks, loops of TensorFlow and short Fourier transforms."""
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


def stack(shape, *made):
    return lambda: keras.Sequential([keras.Input(shape), *[
        make() for make in made]])


def dense(*arguments, **options):
    return lambda: layers.Dense(*arguments, **options)


def translator():
    x = keras.Input((9, 8))
    seen, state = layers.GRU(16, return_sequences=True, return_state=True)(x)
    y = layers.RepeatVector(5)(state)
    y = layers.GRU(16, return_sequences=True)(y, initial_state=state)
    y = layers.Concatenate()([y, layers.Attention()([y, seen])])
    return keras.Model(x, layers.TimeDistributed(
        layers.Dense(7, activation="softmax"))(y))


class While(layers.Layer):
    """A loop of TensorFlow over a fixed number of steps with a product inside."""

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], shape[-1]))

    def call(self, x):
        return tf.while_loop(
            lambda i, y: i < 5,
            lambda i, y: (i + 1, tf.tanh(y @ self.w) + x),
            (tf.constant(0), tf.zeros_like(x)))[1]


class Scan(layers.Layer):
    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], shape[-1]))

    def call(self, x):
        steps = tf.transpose(x, (1, 0, 2))
        return tf.transpose(tf.scan(
            lambda y, step: tf.tanh(y @ self.w + step), steps,
            tf.zeros_like(steps[0])), (1, 0, 2))


class Spectrum(layers.Layer):
    def call(self, wave):
        return tf.abs(tf.signal.stft(wave, 64, 32, fft_length=64))


NETWORKS = {
    "gru": stack((12, 8), lambda: layers.GRU(16), dense(4)),
    "gru_before": stack((12, 8), lambda: layers.GRU(16, reset_after=False), dense(4)),
    "simple_rnn": stack((12, 8), lambda: layers.SimpleRNN(16), dense(4)),
    "lstm_both": stack((12, 8), lambda: layers.Bidirectional(
        layers.LSTM(12, return_sequences=True)), dense(4)),
    "gru_both": stack((12, 8), lambda: layers.Bidirectional(
        layers.GRU(12)), dense(4)),
    "lstm_deep": stack((12, 8), lambda: layers.LSTM(16, return_sequences=True),
                       lambda: layers.LSTM(12), dense(4)),
    "lstm_backwards": stack((12, 8), lambda: layers.LSTM(16, go_backwards=True),
                            dense(4)),
    "lstm_unrolled": stack((5, 8), lambda: layers.LSTM(16, unroll=True), dense(4)),
    "distributed": stack((4, 12, 12, 3), lambda: layers.TimeDistributed(
        layers.Conv2D(6, 3, activation="relu")), lambda: layers.TimeDistributed(
            layers.GlobalAveragePooling2D()), lambda: layers.LSTM(8), dense(3)),
    "conv_lstm": stack((4, 8, 8, 3), lambda: layers.ConvLSTM2D(6, 3, padding="same"),
                       lambda: layers.Conv2D(2, 1)),
    "conv_lstm_1d": stack((5, 10, 3), lambda: layers.ConvLSTM1D(6, 3),
                          lambda: layers.Conv1D(2, 1)),
    "translator": translator,
    "while": stack((16,), While, dense(4)),
    "scan": stack((6, 12), Scan, dense(4)),
    "spectrum": stack((512,), Spectrum, lambda: layers.Conv1D(8, 3, activation="relu"),
                      layers.GlobalAveragePooling1D, dense(4)),
}
