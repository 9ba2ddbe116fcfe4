#!/usr/bin/env bash
# demo.sh BUILD: quantizes and compiles the example model, then prints what it
# costs in accuracy and what it brings in size and time.
# PYTHON=INTERPRETER uses another Python than that of build/venv.
set -euo pipefail
build=$1
here=$(cd "$(dirname "$0")" && pwd)
out=$build/demo
qopt=$build/bin/qopt
python=${PYTHON:-$build/venv/bin/python}
mkdir -p "$out"

printf '\n== reading the images of the package dataset-fashion-mnist\n'
"$python" "$here/data.py" "$out"

printf '\n== qopt compile: import, calibrate on 100 images, quantize, emit\n'
(
  set -x
  "$qopt" compile "$here/fashion-mnist.onnx" --data "$out/calib.npy" \
    --pre image=scale:1/255 --scheme w8a8 --emit=object,header,shared \
    -o "$out/fashion"
  "$qopt" compile "$here/fashion-mnist.onnx" --scheme float \
    --emit=object,header,shared -o "$out/fashion_float"
)
printf '\n== scoring 10,000 test images, timing\n'
"$python" "$here/table.py" "$out"
