"""scaffolds.py SOURCE BUILD FOLDER: a copy of SOURCE in FOLDER with one scaffold
of each kind, built once; says of each generated test that it fails, and passes
without its line 'this fails until'."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE, BUILD, FOLDER = map(pathlib.Path, sys.argv[1:])
TREE = FOLDER / "tree"
TESTS = ["Transforms/zz-fold-nothing.mlir", "Frontend/ONNX/zz-identity.test",
         "Driver/zz-count.test", "Target/HLS/zz-copy.mlir",
         "Target/ZzCore/zz-core.mlir",
         "Dialect/QG/format-si15.mlir"]
# As ./dev says it: paths below the copy count as relative.
ENVIRONMENT = dict(
    os.environ, CCACHE_BASEDIR=str(TREE), CCACHE_NOHASHDIR="1",
    CCACHE_STATSLOG=str(FOLDER / "ccache.log"),
    CCACHE_SLOPPINESS="pch_defines,time_macros,include_file_mtime,"
                      "include_file_ctime")


def run(*command, check=True):
    result = subprocess.run(list(map(str, command)), env=ENVIRONMENT, text=True,
                            capture_output=True)
    if check and result.returncode:
        sys.exit(f"{command}: exit {result.returncode}\n{result.stdout[-8000:]}"
                 f"{result.stderr[-8000:]}")
    return result


def copy():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    TREE.mkdir()
    for name in ("CMakeLists.txt", "CMakePresets.json"):
        shutil.copy2(SOURCE / name, TREE)
    for name in ("include", "lib", "tools", "test", "docs"):
        shutil.copytree(SOURCE / name, TREE / name, symlinks=True)


def add():
    for words in (["pass", "Transforms", "ZzFoldNothing"],
                  ["op", "Elementwise", "ZzIdentity"],
                  ["format", "si15", "--bits", "15", "--signed"],
                  ["verb", "ZzCount"], ["layer", "ZzCopy"], ["target", "ZzCore"],
                  ["rounding", "ZzNearest"]):
        run(BUILD / "bin/qopt", "new", *words, "--dir", TREE)
    # What a person does first.
    ops = TREE / "lib/Frontend/ONNX/Ops/Elementwise.cpp"
    ops.write_text(ops.read_text().replace(
        'return op.unsupported("ZzIdentity is not written");',
        "return op.result(x);"))


def build():
    cache = (BUILD / "CMakeCache.txt").read_text()
    venv = re.search(r"^QOPT_VENV:PATH=(.*)$", cache, re.M).group(1)
    # A format is read by almost every file: what counts is the compiler's time.
    run("cmake", "--preset", "dev", "-S", TREE, "-B", TREE / "build",
        "-DCMAKE_CXX_FLAGS_DEBUG=-O0 -g0", "-DQOPT_BUILD_PYTHON=OFF",
        f"-DQOPT_VENV={venv}")
    run("ninja", "-C", TREE / "build", f"-j{os.cpu_count()}", "qopt",
        "qopt-opt", "qopt-translate")
    log = (FOLDER / "ccache.log").read_text()
    hits = len(re.findall(r"^(?:direct|preprocessed)_cache_hit$", log, re.M))
    misses = len(re.findall(r"^cache_miss$", log, re.M))
    print(f"built: {hits} of {hits + misses} objects from ccache")


def lit(test):
    return run(sys.executable, "/usr/lib/llvm-22/bin/lit", "-v",
               TREE / "build/test", "--filter", re.escape(test), check=False)


def try_test(name):
    before = lit(name)
    path = TREE / "test" / name
    path.write_text("".join(line for line in path.read_text().splitlines(True)
                            if "this fails until" not in line))
    after = lit(name)
    if before.returncode and "this fails until" in before.stdout and \
            not after.returncode:
        print(f"{name}: fails, then passes")
    else:
        print(f"{name}: {before.returncode}, then {after.returncode}\n"
              f"{before.stdout}{after.stdout}")


def main():
    copy()
    add()
    build()
    for name in TESTS:
        try_test(name)
    model = SOURCE / "test/Driver/Inputs/cnn.onnxtxt"
    run(TREE / "build/bin/qopt", "quantize", model, "--data",
        "random:normal:1:samples=4", "--weights", "si4", "--rounding",
        "zz-nearest", "-o", FOLDER / "rounded.mlir")
    print("rounding: zz-nearest rounds")
    print("lint:" + run(sys.executable, TREE / "tools/dev/check_layers.py"
                        ).stdout.partition(":")[2], end="")


if __name__ == "__main__":
    main()
