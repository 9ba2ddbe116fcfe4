#!/usr/bin/env bash
# try_package.sh VENV MODEL: the package that is installed in VENV and its
# command, from an empty folder; MODEL is test/Driver/Inputs/cnn.onnxtxt.
set -euo pipefail
venv=$1 model=$2
cp "$model" cnn.onnxtxt
"$venv/bin/python" - <<'END_OF_PYTHON'
import numpy as np
import qopt

model = qopt.load("cnn.onnxtxt")
images = [np.random.default_rng(i).random((1, 1, 6, 6), dtype=np.float32)
          for i in range(8)]
quantized = qopt.quantize(model, qopt.calibrate(model, images), data=images)
program, reference = qopt.compile(quantized), quantized.reference()
for image in images:
    assert np.array_equal(program(image), reference(image))
np.save("images.npy", np.concatenate(images))
END_OF_PYTHON
"$venv/bin/qopt" compile cnn.onnxtxt --data images.npy --emit=object,header \
  -o out/cnn -q
"$venv/bin/qopt" run out/cnn --input image=@images.npy --output y=@y.npy
[ "$("$venv/bin/python" -c 'import numpy; print(numpy.load("y.npy").shape)')" = "(8, 3)" ]
"$venv/bin/qopt" version
