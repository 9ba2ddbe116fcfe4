#!/usr/bin/env bash
# asan.sh build|lit|unit [VENV]: the tests that feed files to readers, importer
# and driver, under address and undefined-behaviour sanitizers, in build-asan.
# A report of a sanitizer fails a test, because the exit code is then not the
# documented one. ./dev asan runs all three steps.
set -euo pipefail
cd "$(dirname "$0")/../.."
step=${1:?build, lit or unit}
venv=${2:-$PWD/build/venv}
jobs=${QOPT_JOBS:-$(nproc)}

# Leaks at exit are no defect of a command: contexts live until the end.
# LLVM poisons what its allocators have not handed out, but the code in
# libMLIR.so, which has no sanitizer, hands out without saying so.
export ASAN_OPTIONS=detect_leaks=0:allow_user_poisoning=0:halt_on_error=1:exitcode=99
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:exitcode=99

case $step in
  build)
    [ -f build-asan/build.ninja ] ||
      cmake --preset asan -DQOPT_VENV="$venv" -DQOPT_BUILD_PYTHON=OFF \
        >/dev/null
    ninja -C build-asan -j"$jobs" qopt qopt-opt qopt-translate qopt-reader-tests
    ;;
  lit)
    "$venv/bin/python" /usr/lib/llvm-22/bin/lit -sv -j"$jobs" --timeout 900 \
      --xunit-xml-output build-asan/lit.xml \
      build-asan/test/Driver build-asan/test/Frontend
    ;;
  unit)
    build-asan/bin/qopt-reader-tests --gtest_brief=1 \
      --gtest_output=xml:build-asan/unit.xml
    ;;
esac
