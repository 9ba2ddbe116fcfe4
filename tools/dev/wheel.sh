#!/usr/bin/env bash
# wheel.sh VENV OUT: the wheel of a release in OUT, made with the Python packages
# of VENV (./dev setup), then tried where LLVM is not: a mount namespace in which
# /usr/lib/llvm-22 is empty, with a PATH that has no compiler. Outside of CI; a
# link takes 1.2 GB, so there is one at a time.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
venv=$1 out=$2
most_bytes=60000000
work=$(mktemp -d)
trap '/bin/rm -rf "$work"' EXIT

if [ "${3:-}" != --hidden ]; then
  export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
  export CMAKE_BUILD_PARALLEL_LEVEL=${QOPT_JOBS:-$(nproc)}
  mkdir -p "$out"
  rm -f "$out"/qopt-*.whl
  "$venv/bin/python" -m pip wheel --quiet --disable-pip-version-check --no-deps \
    --no-build-isolation --wheel-dir "$out" \
    --config-settings=build-dir="$root/build-release" \
    --config-settings=cmake.define.QOPT_STATIC=ON \
    --config-settings=cmake.define.QOPT_VENV="$venv" "$root"
  # A user without rights may make a namespace of his own.
  unshare --map-root-user --mount bash "$0" "$venv" "$out" --hidden
  exit
fi

wheel=$(echo "$out"/qopt-*.whl)
/usr/bin/python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "$wheel"
mount -t tmpfs none /usr/lib/llvm-22
tools="$work/tools"
mkdir "$tools"
for tool in bash cp env; do ln -s "$(command -v "$tool")" "$tools"; done
export PATH=$tools
cd "$work"
bash "$root/tools/dev/try_package.sh" "$work/venv" \
  "$root/test/Driver/Inputs/cnn.onnxtxt"
# What is loaded, and what is asked of a machine without a linker.
"$work/venv/bin/python" - <<'END_OF_PYTHON'
import pathlib
import qopt

maps = pathlib.Path("/proc/self/maps").read_text()
assert "_qopt" in maps and "libLLVM" not in maps and "libMLIR" not in maps
END_OF_PYTHON
for kind in shared exe; do
  status=0
  "$work/venv/bin/qopt" compile cnn.onnxtxt --data images.npy --emit=$kind \
    -o out/linked -q 2>"$kind.txt" || status=$?
  text=$(<"$kind.txt")
  [ "$status" = 11 ] && [[ $text == *"was found"* ]] ||
    { echo "--emit=$kind without a linker: exit $status, $text"; exit 1; }
done
bytes=$(/usr/bin/stat -c %s "$wheel")
echo "$wheel: $bytes bytes (at most $most_bytes), runs without LLVM"
((bytes <= most_bytes))
