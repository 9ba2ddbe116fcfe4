"""Inputs that a network can make sense of, drawn from a generator with a seed.

Uniform noise is no input of a network of speech or of pages: it saturates what such
networks normalize, and a calibration on it says nothing. These are crude pictures of
the real thing, with its range, its silence and its edges.
"""
import numpy as np

RATE = 16000


def speech(random, length):
    """Syllables: harmonics of a gliding pitch below two formants, pauses, noise."""
    time = np.arange(length) / RATE
    pitch = random.uniform(90, 220) * (1 + .15 * np.sin(
        2 * np.pi * random.uniform(.3, 1.2) * time + random.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    steps = int(np.ceil(length / (RATE * .2))) + 1
    knots = np.linspace(0, steps * .2, steps)
    glide = lambda low, high: np.interp(time, knots, random.uniform(low, high, steps))
    formants = [(glide(300, 800), 90.), (glide(900, 2300), 130.)]
    loud = np.interp(time, knots, random.random(steps) * (random.random(steps) > .3))
    voice = np.zeros(length)
    for harmonic in range(1, 25):
        gain = sum(1 / (1 + ((harmonic * pitch - centre) / width) ** 2)
                   for centre, width in formants)
        voice += gain * np.sin(harmonic * phase) / harmonic
    hiss = random.standard_normal(length) * np.interp(
        time, knots, .1 * random.random(steps) * (random.random(steps) > .6))
    room = random.standard_normal(length) * 10 ** random.uniform(-4, -1.5)
    wave = loud * voice / np.abs(voice).max() + hiss + room
    return (random.uniform(.1, .9) * wave / np.abs(wave).max()).astype(np.float32)


def power(wave, window, hop, frames, bins):
    """Power of short windows, [frames, bins]."""
    wave = np.pad(wave, (0, max(0, hop * (frames - 1) + window - len(wave))))
    rows = np.stack([wave[i * hop:i * hop + window] for i in range(frames)])
    return np.abs(np.fft.rfft(rows * np.hanning(window), axis=1)[:, :bins]) ** 2


def log_power(random, frames, bins):
    wave = speech(random, 160 * frames + 2 * bins)
    return np.log(power(wave, 2 * bins - 2, 160, frames, bins) + 1e-12).astype(
        np.float32)


def mel(random, frames, bands):
    """Decibels of `bands` triangles on the mel scale, as (dB + 40) / 40 of the top."""
    spectrum = power(speech(random, 160 * frames + 512), 512, 160, frames, 257)
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 8000 / 700), bands + 2)
                          / 2595) - 1) / 8000 * 256
    bins = np.arange(257)[:, None]
    low, mid, high = edges[:-2], edges[1:-1], edges[2:]
    filters = np.clip(np.minimum((bins - low) / np.maximum(mid - low, 1),
                                 (high - bins) / np.maximum(high - mid, 1)), 0, None)
    decibels = 10 * np.log10(np.maximum(spectrum @ filters, 1e-10))
    decibels = np.maximum(decibels, decibels.max() - 80) - decibels.max()
    return ((decibels + 40) / 40).astype(np.float32)


def music(random, length):
    """Notes that decay, at 22,050 Hz."""
    time = np.arange(length) / 22050
    wave = np.zeros(length)
    for _ in range(random.integers(4, 12)):
        start, note = random.uniform(0, time[-1]), random.integers(40, 90)
        after = np.clip(time - start, 0, None)
        for harmonic in range(1, 6):
            wave += (after > 0) * np.exp(-4 * after) / harmonic * np.sin(
                2 * np.pi * harmonic * 440 * 2 ** ((note - 69) / 12) * after)
    wave += 1e-3 * random.standard_normal(length)
    return (random.uniform(.2, .9) * wave / np.abs(wave).max()).astype(np.float32)


def photo(random, height, width):
    """Gradients, ellipses and boxes of plain colours, a little noise; 0 to 1, HWC."""
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None]
    corners = random.random((4, 3))
    image = sum(c * w[..., None] for c, w in zip(
        corners, (x * y, x * (1 - y), (1 - x) * y, (1 - x) * (1 - y))))
    for _ in range(random.integers(4, 12)):
        cy, cx, ry, rx = *random.random(2), *random.uniform(.03, .3, 2)
        dy, dx = np.abs(y - cy) / ry, np.abs(x - cx) / rx
        inside = (dy ** 2 + dx ** 2 < 1) if random.random() < .5 else \
            np.maximum(dy, dx) < 1
        image[inside] = .3 * image[inside] + .7 * random.random(3)
    image += .02 * random.standard_normal(image.shape)
    return np.clip(image, 0, 1)


def glyph(random, size):
    """Strokes on a grid of `size`: a letter of no alphabet, 1 where there is ink."""
    ink = np.zeros((size, max(3, size * 2 // 3)))
    thick = max(1, size // 8)
    for _ in range(random.integers(2, 5)):
        row, column = random.integers(0, ink.shape[0]), random.integers(0, ink.shape[1])
        if random.random() < .5:
            ink[row:row + thick, column // 2:] = 1
        else:
            ink[row // 2:, column:column + thick] = 1
    return ink


def page(random, height, width, size=None):
    """Rows of glyphs on paper (one row of the height without `size`); HWC, 0 to 1."""
    paper, colour = random.uniform(.7, 1, 3), random.uniform(0, .4, 3)
    ink = np.zeros((height, width))
    tall = [int(.7 * height)] if size is None else None
    top = int(.15 * height) if size is None else int(random.integers(5, 40))
    while top + 4 < height:
        letter = tall[0] if tall else int(random.integers(*size))
        left = int(random.integers(2, 10 if tall else width // 3))
        while left + letter < width and top + letter <= height:
            mark = glyph(random, letter)
            ink[top:top + letter, left:left + mark.shape[1]] = mark
            left += mark.shape[1] + int(random.integers(2, 4 + letter // 3))
            if random.random() < .06 and not tall:
                break
        top += height if tall else int(letter * random.uniform(1.3, 3))
    image = paper + ink[..., None] * (colour - paper)
    return np.clip(image + .02 * random.standard_normal(image.shape), 0, 1)


def seal(random, size):
    """A round stamp in red with glyphs along its upper half; HWC, 0 to 1."""
    image = random.uniform(.85, 1, 3) + .02 * random.standard_normal((size, size, 3))
    radius = random.uniform(.15, .3) * size
    y, x = np.mgrid[0:size, 0:size] - random.uniform(radius, size - radius,
                                                     2)[:, None, None]
    distance, angle = np.hypot(y, x), np.arctan2(y, x) % (2 * np.pi)
    ink = np.abs(distance - radius) < .03 * radius
    count, tall = int(random.integers(8, 14)), .22 * radius
    row = (.9 * radius - distance) / tall
    for middle in np.pi * (1 + (np.arange(count) + .5) / count):
        mark = glyph(random, 12)
        column = (angle - middle) * .78 * radius / tall + .5
        inside = (row >= 0) & (row < 1) & (column >= 0) & (column < 1)
        at = [(part[inside] * extent).astype(int)
              for part, extent in zip((row, column), mark.shape)]
        ink[inside] |= mark[at[0], at[1]] > 0
    image[ink] = .15 * image[ink] + .85 * np.array([.85, .1, .1])
    return np.clip(image, 0, 1)


def planes(image, mean=0., deviation=1.):
    """[1, C, H, W] of an image in [H, W, C]."""
    image = (image - np.array(mean)) / np.array(deviation)
    return np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32)


def tokens(random, length, vocabulary):
    """Ids that are frequent as words are (few ids often), in [1, length]."""
    ranks = np.minimum(random.zipf(1.3, length) + 3, vocabulary - 1)
    return ranks.astype(np.int64)[None]
