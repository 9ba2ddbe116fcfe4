"""lit configuration of qopt: tools, features and substitutions."""
import os
import platform
import shutil
import subprocess

import lit.formats

config.name = "qopt"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".onnxtxt"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.qopt_binary_root, "test")
config.excludes = ["CMakeLists.txt", "Inputs", "unit", "python", "fuzz"]

path = [os.path.join(config.qopt_binary_root, "bin"), config.llvm_tools_dir]
config.environment["PATH"] = os.pathsep.join(path + [os.environ["PATH"]])
config.substitutions.append(("%python", config.qopt_python))
config.substitutions.append(("%source", config.qopt_source_root))
config.substitutions.append(("%build", config.qopt_binary_root))

# Real models and data lie beside the repository on some machines only.
shared = os.environ.get(
    "QOPT_SHARED", os.path.join(config.qopt_source_root, "..", "shared"))
if os.path.isdir(os.path.join(shared, "models")):
    config.available_features.add("shared")
    config.substitutions.append(("%shared", os.path.abspath(shared)))

# CPU features of this machine, for tests that run what they compile.
try:
    with open("/proc/cpuinfo") as cpuinfo:
        flags = next((line for line in cpuinfo if line.startswith("flags")), "")
    for flag, feature in [("avx2", "avx2"), ("avx512_vnni", "avx512vnni"),
                          ("avx_vnni", "avxvnni")]:
        if flag in flags.split():
            config.available_features.add(feature)
except OSError:
    pass
if platform.machine() == "x86_64":
    config.available_features.add("x86")
if shutil.which("qemu-aarch64") and shutil.which("aarch64-linux-gnu-gcc"):
    config.available_features.add("aarch64-qemu")
if all(map(shutil.which, ["qemu-system-arm", "qemu-system-riscv32",
                          "arm-none-eabi-gcc", "riscv64-unknown-elf-gcc"])):
    config.available_features.add("mcu-qemu")
# A build in a test: ./dev test asks for it.
if os.environ.get("QOPT_SCAFFOLDS"):
    config.available_features.add("scaffolds")
if os.path.isdir("/usr/share/datasets/fashion-mnist"):
    config.available_features.add("fashion-mnist")
has_ort = subprocess.run([config.qopt_python, "-c", "import onnxruntime"],
                         capture_output=True)
if has_ort.returncode == 0:
    config.available_features.add("onnxruntime")
