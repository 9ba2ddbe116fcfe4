#!/usr/bin/env bash
# pip_smoke.sh: `pip install .` into a fresh environment, as a user does it, then
# the package and its command from an empty folder. It builds everything once
# more (eight minutes on two cores), so CI leaves it out; ./dev pip runs it.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A second run compiles only what has changed.
export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
export CMAKE_BUILD_PARALLEL_LEVEL=${QOPT_JOBS:-$(nproc)}

/usr/bin/python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  --config-settings=build-dir="$root/build-wheel" "$root"
cd "$work"
cp "$root/test/Driver/Inputs/cnn.onnxtxt" .
"$work/venv/bin/python" - <<'END'
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
END
"$work/venv/bin/qopt" compile cnn.onnxtxt --data images.npy --emit=object,header \
  -o out/cnn -q
"$work/venv/bin/qopt" run out/cnn --input image=@images.npy --output y=@y.npy
[ "$("$work/venv/bin/python" -c 'import numpy; print(numpy.load("y.npy").shape)')" = "(8, 3)" ]
"$work/venv/bin/qopt" version
echo "pip install . works"
