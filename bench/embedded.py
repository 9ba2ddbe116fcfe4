"""Instructions, arenas and bits of the microcontroller targets, beside their bars.

    bench/embedded.py --shared ../shared --qopt build/bin/qopt --work build/bench [--routes c,llvm]

Compiles the int8 MLPerf Tiny models to C and to LLVM objects, runs them on bare
cores in QEMU (-icount) against the interpreter, and prints one row per model,
core and route. Exit status 1 if a bar is missed.
"""
import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODELS = {"ic": "ic_resnet8", "kws": "kws_dscnn", "vww": "vww_mobilenetv1",
          "ad": "ad_autoencoder"}
# Instructions a product, of the better route.
BARS = {("ic", "m4"): 1.75, ("kws", "m4"): 2.1, ("vww", "m4"): 2.3,
        ("ad", "m4"): 1.75, ("ic", "m55"): 0.30, ("kws", "m55"): 0.55,
        ("vww", "m55"): 0.70, ("ad", "m55"): 0.40}
ARENA = 1.0  # of the live bytes; image is above
TRIPLES = {"m0": ("thumbv6m-none-eabi", "cortex-m0"),
           "m3": ("thumbv7m-none-eabi", "cortex-m3"),
           "m4": ("thumbv7em-none-eabi", "cortex-m4"),
           "m7": ("thumbv7em-none-eabi", "cortex-m7"),
           "m55": ("thumbv8.1m.main-none-eabihf", "cortex-m55"),
           "rv32": ("riscv32-none-elf", "generic-rv32:+m,+a,+c")}


def run(command):
    done = subprocess.run([str(part) for part in command], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def compile_c(options, model, folder):
    code, text = run([options.qopt, "compile", model, "--emit=c",
                      "--outputs=quantized", "-q", "-o", f"{folder}/"])
    if code:
        sys.exit(text)
    return json.loads((folder / "manifest.json").read_text())


def compile_object(options, folder, core, stem):
    """An object of the integer graph that the C came from."""
    triple, cpu = TRIPLES[core]
    symbol = json.loads((folder / "manifest.json").read_text())["symbol"]
    code, text = run([options.qopt, "compile", folder / "quantized.mlirbc",
                      "--scheme", "float", "--emit=object", "-q", "--target",
                      f"{triple}:{cpu}", "--symbol-prefix", symbol, "-o", stem])
    return text if code else None


def measure(options, folder, core, extra=()):
    code, text = run([sys.executable, ROOT / "tools" / "dev" / "mcu.py", folder,
                      "--cores", core, "--qopt", options.qopt, *extra])
    found = re.search(r": (\d+) compared, (\d+) mismatches, ([\d.]+) instr.*code "
                      r"(\d+), stack (\d+)", text)
    if not found:
        return None, text.strip().splitlines()[-1] if text.strip() else "no output"
    return [float(value) for value in found.groups()], "" if not code else text


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shared", required=True, type=Path)
    parser.add_argument("--qopt", required=True)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--models", default="ic,kws,vww,ad")
    parser.add_argument("--cores", default="m3,m4,m7,m55,rv32")
    parser.add_argument("--routes", default="c,llvm")
    options = parser.parse_args()
    failed = False
    print("| model | core | route | bits | instructions a product | code | "
          "constants | arena | stack |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in options.models.split(","):
        folder = options.work / "c" / name
        model = options.shared / "models" / f"{MODELS[name]}_int8_qdq.onnx"
        manifest = compile_c(options, model, folder)
        for core in options.cores.split(","):
            best = None
            for route in options.routes.split(","):
                extra, problem, facts = [], None, manifest
                if route == "llvm":
                    stem = options.work / f"{name}_{core}"
                    problem = compile_object(options, folder, core, stem)
                    if not problem:
                        facts = json.loads(
                            Path(f"{stem}.qopt/manifest.json").read_text())
                        extra = ["--object", f"{stem}.o", "--arena",
                                 facts["arena_bytes"]]
                row = None
                if not problem:
                    row, problem = measure(options, folder, core, extra)
                if row is None:
                    print(f"| {name} | {core} | {route} | - | "
                          f"{problem.strip().splitlines()[0]} | - | - | - | - |")
                    failed = failed or route == "c"
                    continue
                count, different, per_product, code, stack = row
                bits = "equal" if not different else f"{different:.0f} differ"
                print(f"| {name} | {core} | {route} | {bits} | {per_product:.2f} "
                      f"| {code:.0f} | {facts['weights_bytes']} | "
                      f"{facts['arena_bytes']} | {stack:.0f} |", flush=True)
                failed = failed or bool(different)
                best = min(best or per_product, per_product)
            bar = BARS.get((name, core))
            if bar and (best is None or best > bar):
                print(f"missed: {name} on {core} has {best}, the bar is {bar}")
                failed = True
        ratio = manifest["arena_bytes"] / manifest["live_bytes"]
        print(f"{name}: arena {manifest['arena_bytes']} bytes, {ratio:.3f} of the "
              f"{manifest['live_bytes']} live bytes; weights "
              f"{manifest['weights_bytes']}")
        failed = failed or ratio > ARENA
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
