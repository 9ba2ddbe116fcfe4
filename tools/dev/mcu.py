#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds a compiled model for microcontrollers and runs it in QEMU.

    mcu.py FOLDER [--cores host,m0,m3,m4,m7,m55,rv32] [--samples N] [--object F.o]
           [--optimize O3] [--compiler gcc|clang] [--limit CORE=X ...] [--layers]

FOLDER is what `qopt compile --emit=c -o FOLDER/` wrote. Random inputs (fixed
seed) go through the C code on every core and through the interpreter; the last
line of every core is `CORE: N compared, M mismatches, ...` with instructions
(-icount) a product and bytes of code, stack, constants, arena and other data. With --object, the model is
that object file (of `qopt compile --emit=object --target=...`) instead of the
C. With --layers, a table of the instructions of every layer comes first (the
call then is slower by its hooks). Sections of flash and RAM end the line.
Exit status 1 if anything differs, an object needs a symbol other than
memcpy and memset (C on an M0: what gcc calls for instructions that it lacks),
or a core is above its limit of instructions a product.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

ARM = "arm-none-eabi-gcc"
RISCV = "riscv64-unknown-elf-gcc"
MPS2 = dict(VECTORS_AT="0x0", ROM_AT="0x400", ROM_BYTES="4000K",
            RAM_AT="0x21000000", RAM_BYTES="4M", ENTRY_SYMBOL="reset")
AN500 = dict(MPS2, RAM_AT="0x60000000")
AN547 = dict(MPS2, ROM_AT="0x01000000", ROM_BYTES="2M")
VIRT = dict(VECTORS_AT="0x80000000", ROM_AT="0x80000400", ROM_BYTES="4M",
            RAM_AT="0x80800000", RAM_BYTES="4M", ENTRY_SYMBOL="reset")
# name: compiler, flags, clang's target, emulator, board, memory, and the
# thousandth instructions of a SysTick (1 ns each with -icount shift=0)
CORES = {
    # Runs on the board of the M3, whose instructions are a superset.
    "m0": (ARM, "-mcpu=cortex-m0 -mthumb", "thumbv6m-none-eabi",
           "qemu-system-arm", "mps2-an385", MPS2, 40000),
    "m3": (ARM, "-mcpu=cortex-m3 -mthumb", "thumbv7m-none-eabi",
           "qemu-system-arm", "mps2-an385", MPS2, 40000),
    "m4": (ARM, "-mcpu=cortex-m4 -mthumb", "thumbv7em-none-eabi",
           "qemu-system-arm", "mps2-an386", MPS2, 40000),
    "m7": (ARM, "-mcpu=cortex-m7 -mthumb", "thumbv7em-none-eabi",
           "qemu-system-arm", "mps2-an500", AN500, 40000),
    "m55": (ARM, "-mcpu=cortex-m55 -mthumb -mfloat-abi=hard",
            "thumbv8.1m.main-none-eabi", "qemu-system-arm", "mps3-an547",
            AN547, 31250),
    "rv32": (RISCV, "-march=rv32imac -mabi=ilp32", "riscv32-none-elf",
             "qemu-system-riscv32", "virt", VIRT, 0),
}
WARNINGS = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"]


def run(command, cwd=None):
    done = subprocess.run([str(part) for part in command], text=True, cwd=cwd,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command[:4]))} ... gave "
                 f"{done.returncode}:\n{done.stdout}")
    return done.stdout


class Model:
    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.manifest = json.loads((self.folder / "manifest.json").read_text())
        self.symbol = self.manifest["symbol"]
        self.header = (self.folder / f"{self.symbol}.h").read_text()
        self.products = sum(l["products"] for l in self.manifest["layers"])
        upper = self.symbol.upper()
        define = lambda name: int(re.search(
            rf"#define {upper}_{name} (\d+)", self.header).group(1))
        self.input_bytes = define("INPUT_BYTES")
        self.output_bytes = define("OUTPUT_BYTES")
        self.arena_bytes = define("ARENA_BYTES")
        kind, shape = re.search(r"input 0: '.*', (\w+) \[([\dx]+)\]",
                                self.header).groups()
        self.dtype = np.dtype(kind.removesuffix("_t"))
        self.shape = [int(extent) for extent in shape.split("x")]
        self.result = np.dtype(re.search(
            r"output 0: '.*', (\w+) \[", self.header).group(1).removesuffix("_t"))

    def make_samples(self, count):
        info = np.iinfo(self.dtype)
        return np.random.default_rng(1).integers(
            info.min, info.max, [count] + self.shape, self.dtype, True)

    def interpret(self, samples, qopt):
        outputs = []
        with tempfile.TemporaryDirectory() as temporary:
            at = Path(temporary)
            for sample in samples:
                np.save(at / "in.npy", sample)
                run([qopt, "run", self.folder / "quantized.mlirbc",
                     "--reference", "--input", f"@{at}/in.npy", "-o",
                     f"@{at}/out.npy", "-q"])
                outputs.append(np.load(at / "out.npy").tobytes())
        return b"".join(outputs)


def get_undefined(objdump_nm, path):
    lines = run([objdump_nm, "-u", path]).split("\n")
    return sorted({line.split()[-1] for line in lines if line.strip()})


def read_sections(text):
    """Bytes in flash by kind, of what `size -A` says."""
    sizes = {"code": 0, "constants": 0, "data": 0}
    for name, count in re.findall(r"^\.(\S+)\s+(\d+)", text, re.M):
        kind = {"text": "code", "rodata": "constants", "data": "data",
                "bss": "data"}.get(name.split(".")[0])
        if kind:
            sizes[kind] += int(count)
    return sizes


def find_layers(options, model):
    """Names of the layers, in order, and the products of each."""
    if options.object:
        manifest = Path(options.object).with_suffix(".qopt") / "manifest.json"
        names = json.loads(manifest.read_text())["layer_names"]
        products = {l["name"]: l["products"] for l in model.manifest["layers"]}
        return [(name, products.get(name, 0)) for name in names]
    return [(l["name"], l["products"]) for l in model.manifest["layers"]]


def print_layers(text, layers):
    """Medians of the samples."""
    print("| instructions | share | a product | layer |\n|---|---|---|---|")
    counts = [[] for _ in layers]
    for layer, count in re.findall(r"^layer (\d+) (\d+)", text, re.M):
        counts[int(layer)].append(int(count))
    medians = [int(np.median(c)) for c in counts]
    for (name, products), count in zip(layers, medians):
        rate = f"{count / products:.2f}" if products else "-"
        print(f"| {count} | {100 * count / sum(medians):.1f} % | {rate} | "
              f"{name} |")


def build_for(core, model, options, folder):
    """Path of the program for QEMU, bytes of the model's object by section, and
    what it needs."""
    gcc, flags, triple, _, _, memory, per_tick = CORES[core]
    flags = flags.split()
    prefix = gcc.removesuffix("gcc")
    if gcc == RISCV:
        flags += ["--specs=picolibc.specs"]
    optimize = f"-{options.optimize}"
    source = model.folder / f"{model.symbol}.c"
    if options.object:
        model_object = Path(options.object).resolve()
    else:
        model_object = folder / "model.o"
        if options.compiler == "clang":
            include = run([gcc, *flags, "-print-sysroot"]).strip()
            include = Path(include) / "include" if include else ""
            if gcc == ARM:
                include = include or "/usr/lib/arm-none-eabi/include"
            else:
                include = "/usr/lib/picolibc/riscv64-unknown-elf/include"
            own = [flag for flag in flags if not flag.startswith("--specs")]
            # Plain memcpy instead of __aeabi_memcpy.
            eabi = ["-meabi", "gnu"] if gcc == ARM else []
            command = ["clang-22", f"--target={triple}", *own, *eabi,
                       "-isystem", include]
        else:
            command = [gcc, *flags]
        run([*command, *WARNINGS, optimize, "-c", source, "-o", model_object])
    defines = [f"-DPER_TICK={per_tick}ull",
               f'-DMODEL_HEADER="{model.symbol}.h"', f"-DMODEL={model.symbol}",
               f"-DARENA_BYTES={options.arena or model.arena_bytes}",
               f"-DINPUT_BYTES={model.input_bytes}",
               f"-DOUTPUT_BYTES={model.output_bytes}",
               f"-DPROFILED_LAYERS={len(options.layer_names)}"]
    script = (HERE / "mcu" / "board.ld.in").read_text()
    for name, value in memory.items():
        script = script.replace(name, value)
    (folder / "board.ld").write_text(script)
    program = folder / "program.elf"
    run([gcc, *flags, "-O1", "-ffreestanding", "-I", model.folder, "-I",
         HERE / "mcu", *defines, HERE / "mcu" / "start.c",
         HERE / "mcu" / "bare_metal.c", model_object, "-nostartfiles", "-T",
         folder / "board.ld", "-o", program])
    sizes = run([prefix + "size", "-A", model_object])
    return program, read_sections(sizes), get_undefined(prefix + "nm", model_object)


def run_core(core, model, samples, expected, options):
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        program, sizes, undefined = build_for(core, model, options, folder)
        _, _, _, qemu, board, _, _ = CORES[core]
        (folder / "in.bin").write_bytes(samples.tobytes())
        bios = ["-bios", "none"] if "riscv" in qemu else []
        text = run([qemu, "-M", board, *bios, "-nographic", "-monitor", "none",
                    "-serial", "none", "-semihosting-config",
                    "enable=on,target=native", "-icount", "shift=0", "-kernel",
                    program], cwd=folder)
        got = (folder / "out.bin").read_bytes()
    if options.layers:
        print_layers(text, options.layer_names)
    counts = re.findall(r"instructions (\d+) stack (\d+)", text)
    instructions = np.median([int(count) for count, _ in counts])
    stack = max(int(depth) for _, depth in counts)
    return got, (f", {instructions / model.products:.2f} instructions a "
                 f"product, code {sizes['code']}, stack {stack}, constants "
                 f"{sizes['constants']}, arena "
                 f"{options.arena or model.arena_bytes}, data "
                 f"{sizes['data']}"), \
        instructions / model.products, undefined


def run_host(model, samples, options):
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        compiler = "clang-22" if options.compiler == "clang" else "gcc"
        command = [compiler, *WARNINGS, f"-{options.optimize}",
                   *options.flags.split()]
        run([*command, "-c", model.folder / f"{model.symbol}.c", "-o",
             folder / "model.o"])
        undefined = get_undefined("nm", folder / "model.o")
        run([*command, model.folder / "main.c", folder / "model.o", "-o",
             folder / "program"])
        (folder / "in.bin").write_bytes(samples.tobytes())
        run([folder / "program", folder / "in.bin", folder / "out.bin"])
        got = (folder / "out.bin").read_bytes()
    return got, "", 0, [] if "sanitize" in options.flags else undefined


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--cores", default="host")
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--object")
    parser.add_argument("--arena", type=int, help="bytes, of an --object")
    parser.add_argument("--optimize", default="O3")
    parser.add_argument("--compiler", default="gcc", choices=["gcc", "clang"])
    parser.add_argument("--flags", default="", help="more, on the host")
    parser.add_argument("--layers", action="store_true")
    parser.add_argument("--limit", action="append", default=[])
    parser.add_argument("--qopt", default=os.environ.get("QOPT", "qopt"))
    options = parser.parse_args()
    model = Model(options.folder)
    options.layer_names = find_layers(options, model) if options.layers else []
    samples = model.make_samples(options.samples)
    expected = model.interpret(samples, options.qopt)
    limits = dict(entry.split("=") for entry in options.limit)
    failed = False
    for core in options.cores.split(","):
        if core == "host":
            got, facts, per_product, undefined = run_host(model, samples,
                                                          options)
        else:
            needed = [CORES[core][0], CORES[core][3]]
            if not all(map(shutil.which, needed)):
                print(f"{core}: skipped, needs {' and '.join(needed)}")
                continue
            got, facts, per_product, undefined = run_core(
                core, model, samples, expected, options)
        if len(got) != len(expected):
            sys.exit(f"{core}: expected {len(expected)} output bytes, got "
                     f"{len(got)}")
        differing = int((np.frombuffer(got, np.uint8) !=
                         np.frombuffer(expected, np.uint8)).sum())
        strange = [name for name in undefined
                   if name not in ("memcpy", "memset") and not
                   (core == "m0" and not options.object and
                    name.startswith("__aeabi_"))]
        above = core in limits and per_product > float(limits[core])
        failed |= differing > 0 or bool(strange) or above
        print(f"{core}: {len(got)} compared, {differing} mismatches{facts}"
              + (f", undefined {' '.join(strange)}" if strange else "")
              + (f", above the limit {limits[core]}" if above else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
