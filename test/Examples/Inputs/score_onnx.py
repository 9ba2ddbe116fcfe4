"""score_onnx.py MODEL IMAGES LABELS COUNT EVAL.json: top-1 in ONNX Runtime,
beside what `qopt eval --json` says."""
import json
import sys

import numpy as np
import onnxruntime

model, images, labels, count, ours = sys.argv[1:]
images = np.load(images)[: int(count)].astype(np.float32) / np.float32(255)
labels = np.load(labels)[: int(count)]
# As the file says: the fused u8 x s8 kernels that the optimizer puts in
# saturate pairs of products on a CPU without VNNI.
options = onnxruntime.SessionOptions()
options.graph_optimization_level = (
    onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
session = onnxruntime.InferenceSession(
    model, options, providers=["CPUExecutionProvider"])
hits = sum(int(session.run(None, {"image": image[None]})[0].argmax() == label)
           for image, label in zip(images, labels))
score = 100 * hits / len(images)


def find(value):
    """The number of the row of top1, wherever the report has it."""
    if isinstance(value, dict):
        if value.get("metric", value.get("name")) == "top1":
            return value["value"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            found = find(item)
            if found is not None:
                return found
    return None


mine = find(json.load(open(ours)))
print(f"ONNX Runtime {score:.2f}, qopt {mine:.2f}")
print("within 0.1 points:", abs(score - mine) <= 0.1)
