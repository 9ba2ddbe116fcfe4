#!/usr/bin/env python3
"""Prints the table of ./dev demo: accuracy, size and latency.

The compiled functions are called through their C ABI; ONNX Runtime takes part
if it is installed. Latencies are medians of interleaved rounds, one thread.
"""
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "bench"))
from abi import Program
from compare import bound_call, interleave, session


def accuracy(call, images, labels):
    """Share of the images whose largest logit is the label's."""
    hits = 0
    for image, label in zip(images, labels):
        hits += int(call(image).argmax()) == int(label)
    return hits / len(images)


def main():
    out = pathlib.Path(sys.argv[1])
    images = np.load(out / "test.npy").astype(np.float32) / np.float32(255)
    labels = np.load(out / "test_labels.npy")
    model = HERE / "fashion-mnist.onnx"
    rows, calls = {}, {}
    for name, stem in (("qopt float", "fashion_float"),
                       ("qopt int8", "fashion")):
        program = Program(out / stem)

        def call(image, program=program):
            program.feed([image])
            return program.run()[0]

        rows[name] = [accuracy(call, images, labels),
                      (out / (stem + ".o")).stat().st_size]
        calls[name] = program.run
    try:
        sess = session(model)
        feed = lambda image: sess.run(None, {"image": image[None]})[0]
        rows["ONNX Runtime float"] = [accuracy(feed, images, labels),
                                      model.stat().st_size]
        calls["ONNX Runtime float"] = bound_call(sess,
                                                 {"image": images[:1]})
    except ImportError:
        pass
    times = interleave(calls, rounds=50, quantum=0.01)
    print(f"\n{'':<20}{'accuracy':>10}{'size':>12}{'latency':>12}")
    for name, (share, size) in rows.items():
        print(f"{name:<20}{100 * share:>8.2f} %{size / 1024:>8.0f} KiB"
              f"{times[name][0] * 1e6:>9.1f} us")
    print(f"\nobject  {out / 'fashion.o'}\nheader  {out / 'fashion.h'}")


if __name__ == "__main__":
    main()
