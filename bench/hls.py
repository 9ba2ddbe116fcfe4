#!/usr/bin/env python3
"""FPGA projects of real models: C simulation against the interpreter.

usage: hls.py MODELS DATA [--build DIR] [--vectors N] [--only NAME ...]

Compiles every model with --emit=hls for xc7z020 at 10 ns, builds the project's
own C simulation with g++ and clang++, runs it on N samples of the data, and
prints a table: mismatches, cycles and resources (estimates before synthesis),
user seconds of each step, and, of classifiers with labels, how many frames are
right. Exit 1 if anything differs.
"""
import argparse
import json
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

import numpy as np


def load_data(data):
    """Arrays as the models take them; see the README beside the data."""
    mfcc = np.load(data / "kws_mfcc_s8.npy").astype(np.float32)
    mfcc *= np.float32(0.33674246)
    kws = mfcc.reshape(-1, 10, 49).transpose(0, 2, 1).reshape(-1, 490)
    vww = np.load(data / "vww_images_u8_nhwc.npy").astype(np.float32) / 255
    vww = vww.transpose(0, 3, 1, 2)
    cifar = np.load(data / "cifar10_500_u8_nhwc.npy").astype(np.float32)
    # 500 pictures, and their mirror images.
    cifar = np.concatenate([cifar, cifar[:, :, ::-1]])
    random = np.random.default_rng(5)
    return {
        "kws_mlp": mfcc.reshape(-1, 1, 10, 49), "kws": kws, "ic": cifar,
        "ic_w4a4": cifar.transpose(0, 3, 1, 2), "vww": vww,
        "ad": random.normal(-10, 15, (1000, 640)).astype(np.float32),
        "mnist": random.random((1000, 1, 28, 28), dtype=np.float32),
        "espcn": vww[:4, :, 32:64, 32:64],
        "espcn_full": np.pad(vww[4:5], ((0, 0), (0, 0), (0, 32), (0, 32)),
                             mode="reflect")}


def load_labels(data):
    kws = np.load(data / "kws_labels.npy")
    return {"kws": kws, "kws_mlp": kws,
            "vww": np.load(data / "vww_labels.npy")}


# Model, and what is said of it besides the data.
MODELS = {
    "ad": ("ad_autoencoder_int8_qdq", "--scheme", "qdq"),
    "kws_mlp": ("kws_mlp_w3a3_qonnx", "--scheme", "qdq"),
    "ic": ("ic_resnet8_int8_qdq", "--scheme", "qdq"),
    "ic_w4a4": ("ic_resnet8_float", "--scheme", "w4a4", "--samples", "100"),
    "kws": ("kws_dscnn_int8_qdq", "--scheme", "qdq"),
    "vww": ("vww_mobilenetv1_int8_qdq", "--scheme", "qdq"),
    "mnist": ("mnist_cnn_float", "--scheme", "w8a8", "--samples", "100"),
    "espcn": ("espcn_brevitas_qonnx", "--scheme", "qdq", "--shape",
              "x.7=1x3x32x32"),
    "espcn_full": ("espcn_brevitas_qonnx", "--scheme", "qdq")}


def count_right(folder, report, frames, labels):
    """Frames whose largest output is the label's, from the golden vectors."""
    record = np.fromfile(folder / "tb/vectors.bin", np.uint8)
    record = record.reshape(frames, -1)
    inputs = sum(int(np.prod(port["shape"])) for port in report["inputs"])
    outputs = int(np.prod(report["outputs"][0]["shape"]))
    size = (record.shape[1] - inputs) // outputs
    sign = "i" if report["outputs"][0]["signed"] else "u"
    values = record[:, inputs:].copy().view(f"<{sign}{size}")
    return int((values.argmax(1) == labels[:frames]).sum())


def run(*command):
    """Output and user seconds of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run([str(word) for word in command],
                          capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    return done, after - before


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default="build")
    parser.add_argument("--vectors", type=int, default=1000)
    parser.add_argument("--only", nargs="*", choices=list(MODELS))
    parser.add_argument("--compilers", nargs="*", default=["g++", "clang++-22"])
    options = parser.parse_args()
    data, labels = load_data(options.data), load_labels(options.data)
    print("| model | compared | mismatches | cycles a frame | LUT | DSP | BRAM18 "
          "| qopt s | build s | ms a frame | right |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    differs = False
    for name in options.only or MODELS:
        model, *flags = MODELS[name]
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            np.save(folder / "x.npy",
                    np.ascontiguousarray(data[name][:options.vectors]))
            done, compile_s = run(
                options.build / "bin" / "qopt", "compile",
                options.models / f"{model}.onnx", *flags, "--data",
                folder / "x.npy", "--emit=hls", "--target=xc7z020",
                "--clock=10ns", "--vectors", options.vectors, "-q", "-o",
                f"{folder}/p/")
            if done.returncode:
                print(f"| {name} | refused: {done.stderr.strip()} |")
                differs = True
                continue
            report = json.loads((folder / "p/report.json").read_text())
            frames = min(options.vectors, len(data[name]))
            right = "-"
            if name in labels:
                count = count_right(folder / "p", report, frames, labels[name])
                right = f"{100 * count / frames:.1f} %"
            for compiler in options.compilers:
                build = folder / compiler.replace("+", "p")
                _, build_s = run("make", "-C", folder / "p", f"CXX={compiler}",
                                 f"BUILD={build}", f"{build}/csim")
                done, csim_s = run(build / "csim", folder / "p/tb/vectors.bin")
                match = re.search(r"(\d+) compared, (\d+) mismatches",
                                  done.stdout)
                if not match:
                    print(f"| {name} {compiler} | {done.stderr[:200]} |")
                    differs = True
                    continue
                differs |= done.returncode != 0
                cost = report["resources"]
                print(f"| {name}, {compiler} | {match[1]} | {match[2]} | "
                      f"{report['cycles_between_frames']} | {cost['lut']} | "
                      f"{cost['dsp']} | {cost['bram18']} | {compile_s:.1f} | "
                      f"{build_s:.1f} | {1e3 * csim_s / frames:.2f} | {right} |",
                      flush=True)
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main())
