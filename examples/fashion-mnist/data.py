#!/usr/bin/env python3
# ===- data.py - Fashion-MNIST arrays from Debian's package ---------------=== #
# SPDX-License-Identifier: Apache-2.0
#
# Reads the gzipped IDX files of Debian's `dataset-fashion-mnist` and writes
# what `qopt compile` and `qopt eval` take. Needs only numpy, because
# `./dev demo` runs it.
# ===----------------------------------------------------------------------=== #
"""Write calib.npy, test.npy and test_labels.npy into a folder."""

import argparse
import gzip
import pathlib
import sys

import numpy as np

PACKAGE_FOLDER = pathlib.Path("/usr/share/datasets/fashion-mnist")
CLASSES = 10
CALIBRATION_IMAGES_PER_CLASS = 10
IDX_UNSIGNED_BYTE = 0x08


class DataError(Exception):
    """The data set is absent or is not what its format says."""


def read_idx(path):
    """The array in a gzipped IDX file of unsigned bytes.

    The header is two zero bytes, the element type, the rank, then one
    big-endian 32-bit extent per dimension.
    """
    try:
        with gzip.open(path, "rb") as stream:
            raw = stream.read()
    except FileNotFoundError:
        raise DataError(
            f"expected '{path}', found no such file; install it with "
            "'apt install dataset-fashion-mnist' or give --source"
        ) from None
    except (OSError, EOFError) as error:
        raise DataError(
            f"expected a gzip file, got '{path}': {error}"
        ) from None
    if len(raw) < 4 or raw[:3] != bytes([0, 0, IDX_UNSIGNED_BYTE]):
        raise DataError(
            f"expected an IDX file of unsigned bytes, got header "
            f"{raw[:4].hex()} in '{path}'"
        )
    header = 4 + 4 * raw[3]
    shape = tuple(int(n) for n in np.frombuffer(raw[4:header], ">u4"))
    if len(raw) - header != np.prod(shape, dtype=np.int64):
        raise DataError(
            f"expected {shape} bytes after the header, got "
            f"{len(raw) - header} in '{path}'"
        )
    return np.frombuffer(raw, np.uint8, offset=header).reshape(shape)


def read_split(split, source=PACKAGE_FOLDER):
    """Images (N,1,28,28) and labels (N,), u8, of split 'train' or 't10k'."""
    source = pathlib.Path(source)
    images = read_idx(source / f"{split}-images-idx3-ubyte.gz")
    labels = read_idx(source / f"{split}-labels-idx1-ubyte.gz")
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise DataError(
            f"expected one label per image, got images {images.shape} and "
            f"labels {labels.shape} in '{source}'"
        )
    return images[:, np.newaxis], labels


def first_of_each_class(labels):
    """Indices, ascending, of the first few samples of every class."""
    chosen = [
        np.flatnonzero(labels == c)[:CALIBRATION_IMAGES_PER_CLASS]
        for c in range(CLASSES)
    ]
    return np.sort(np.concatenate(chosen))


def write_arrays(folder, source, test_images):
    """Write the three arrays into `folder` and return their shapes."""
    train, train_labels = read_split("train", source)
    test, labels = read_split("t10k", source)
    arrays = {
        "calib.npy": train[first_of_each_class(train_labels)],
        "test.npy": test[:test_images],
        # eval compares class indices, which are int64 everywhere else.
        "test_labels.npy": labels[:test_images].astype(np.int64),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        np.save(folder / name, np.ascontiguousarray(array))
    return {name: array.shape for name, array in arrays.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="where to write")
    parser.add_argument(
        "--source",
        type=pathlib.Path,
        default=PACKAGE_FOLDER,
        help="folder of the IDX files (default: %(default)s)",
    )
    parser.add_argument(
        "--test-images",
        type=int,
        default=10000,
        help="write only the first N test images (default: all %(default)s)",
    )
    arguments = parser.parse_args()
    if arguments.test_images < 1:
        parser.error(
            f"expected --test-images of at least 1, got {arguments.test_images}"
        )
    try:
        shapes = write_arrays(
            arguments.folder, arguments.source, arguments.test_images
        )
    except DataError as error:
        sys.exit(f"data.py: {error}")
    for name, shape in shapes.items():
        print(f"{arguments.folder / name}: {shape}")


if __name__ == "__main__":
    main()
