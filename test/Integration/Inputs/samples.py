# SPDX-License-Identifier: Apache-2.0
"""Inputs of the real models: samples.py SHARED OUT.npy KIND COUNT, where KIND
is vww, kws, ic (channels last), icf (channels first), ad or mnist (noise)."""
import sys

import numpy as np

shared, out, kind, count = sys.argv[1:]
data, count = shared + "/data/", int(count)
if kind == "vww":
    images = np.load(data + "vww_images_u8_nhwc.npy")[:count]
    array = images.transpose(0, 3, 1, 2) / np.float32(255)
elif kind == "kws":
    rows = np.load(data + "kws_mfcc_s8.npy")[:count].reshape(-1, 10, 49)
    array = rows.transpose(0, 2, 1).reshape(-1, 490) * np.float32(0.33674246)
elif kind in ("ic", "icf"):
    array = np.load(data + "cifar10_500_u8_nhwc.npy")[:count]
    if kind == "icf":
        array = array.transpose(0, 3, 1, 2)
elif kind == "mnist":
    array = np.random.default_rng(0).random((count, 1, 28, 28))
else:
    array = np.random.default_rng(0).normal(0, 1, (count, 640))
np.save(out, np.ascontiguousarray(array, np.float32))
