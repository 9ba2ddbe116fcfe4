#!/usr/bin/env bash
# asan.sh [VENV]: builds with address and undefined-behaviour sanitizers in
# build-asan and runs the tests that feed files to readers, importer and driver.
# A crash or a report of a sanitizer fails a test,
# because the exit code is then not the documented one.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=${1:-$PWD/build/venv}
jobs=${QOPT_JOBS:-$(nproc)}
[ -f build-asan/build.ninja ] || cmake --preset asan -DQOPT_VENV="$venv"
ninja -C build-asan -j"$jobs" qopt qopt-opt qopt-translate qopt-unit-tests

# Leaks at exit are no defect of a command: contexts live until the end.
export ASAN_OPTIONS=detect_leaks=0:halt_on_error=1:exitcode=99
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:exitcode=99
python=$venv/bin/python
[ -x "$python" ] || python=python3
"$python" /usr/lib/llvm-22/bin/lit -sv -j"$jobs" --timeout 900 \
  build-asan/test/Driver build-asan/test/Frontend
build-asan/bin/qopt-unit-tests --gtest_brief=1 \
  --gtest_filter='Npy.*:Npz.*:Samples.*:TensorProto.*:Preprocess.*:Metrics.*:Calibration.*'
