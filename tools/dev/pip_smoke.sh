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
bash "$root/tools/dev/try_package.sh" "$work/venv" \
  "$root/test/Driver/Inputs/cnn.onnxtxt"
echo "pip install . works"
