#!/usr/bin/env bash
# A Keras dense layer with the exact form of gelu, through tf2onnx 1.17.0: TensorFlow
# 2.21.0 computes it by Erfc, for which tf2onnx has no rule. It logs an error, goes
# on, puts a node 'Erfc' into ONNX's own domain, where no opset has one, and returns
# as if all were well. onnx's checker and ONNX Runtime refuse the file.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  tensorflow-cpu==2.21.0 keras==3.15.1 tf2onnx==1.17.0 onnx==1.23.2 \
  onnxruntime==1.31.1
cd "$work"
TF_CPP_MIN_LOG_LEVEL=3 "$work/venv/bin/python" - 2>log <<'END' || { cat log; exit 1; }
import keras
import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx

model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="gelu")])
function = tf.function(lambda x: model(x, training=False))
tf2onnx.convert.from_function(
    function, [tf.TensorSpec((1, 4), tf.float32, name="x")], opset=17,
    output_path="model.onnx")
written = onnx.load("model.onnx")
unknown = [(node.op_type, node.domain) for node in written.graph.node
           if not onnx.defs.has(node.op_type, node.domain)]
print("operators that ONNX does not have:", unknown)
assert unknown == [("Erfc", "")]
for name, check in (("checker", lambda: onnx.checker.check_model(written)),
                    ("onnxruntime",
                     lambda: onnxruntime.InferenceSession("model.onnx"))):
    try:
        check()
        raise SystemExit(f"{name} accepts it now")
    except Exception as error:
        print(name, "refuses:", str(error).splitlines()[0][:140])
END
