#!/usr/bin/env bash
# fuzz_inputs.sh build|seeds|TARGET [MINUTES]: files that nobody trusts, under
# libFuzzer and the sanitizers, in build-fuzz.
#
# Targets: onnx, npz, plan, recipe, module, record, weights (test/fuzz). Inputs
# that reached something new stay in build-fuzz/corpus/TARGET, findings in
# build-fuzz/findings/TARGET-*; exit code 1 if there are any of this run.
# docs/contributing/fuzz.md says what to do with one.
set -euo pipefail
cd "$(dirname "$0")/../.."
step=${1:?build, seeds or a target}
minutes=${2:-10}
venv=${QOPT_VENV:-$PWD/build/venv}

case $step in
  build)
    [ -f build-fuzz/build.ninja ] ||
      cmake --preset fuzz -DQOPT_VENV="$venv" >/dev/null
    ninja -C build-fuzz -j"${QOPT_JOBS:-$(nproc)}" qopt-fuzzers
    exit ;;
  seeds)
    # By the build without sanitizers: it has the Python package.
    "$venv/bin/python" test/fuzz/seeds.py build-fuzz/seeds --build build
    exit ;;
esac

program=build-fuzz/bin/qopt-fuzz-$step
[ -x "$program" ] || { echo "no target '$step', or not built" >&2; exit 2; }
mkdir -p "build-fuzz/corpus/$step" "build-fuzz/seeds/$step" build-fuzz/findings
marker=$(mktemp)
trap 'rm -f "$marker"' EXIT

# See asan.sh for the first. A sanitized pass takes three times as long: 30 s
# stand for 10. LLVM frees nothing at exit; what an input leaks is found.
export ASAN_OPTIONS=allow_user_poisoning=0:allocator_may_return_null=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
nice -n 7 "$program" -max_total_time=$((minutes * 60)) -timeout=30 \
  -rss_limit_mb=3000 -malloc_limit_mb=1500 -max_len=32768 -print_funcs=0 \
  -fork=1 -ignore_crashes=1 -ignore_ooms=1 -ignore_timeouts=1 \
  -artifact_prefix="build-fuzz/findings/$step-" \
  "build-fuzz/corpus/$step" "build-fuzz/seeds/$step" || true

new=$(find build-fuzz/findings -name "$step-*" -newer "$marker" | wc -l)
echo "$step: $new findings"
[ "$new" -eq 0 ]
