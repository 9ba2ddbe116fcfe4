"""stages.py STEM LOG: is every printed stage what qopt-opt makes of the one
before it, by the pipeline that `compile -v` named in LOG?"""
import pathlib
import re
import subprocess
import sys

stem, log = sys.argv[1], pathlib.Path(sys.argv[2]).read_text()


def print_module(path, *flags):
    return subprocess.run(["qopt-opt", path, *flags], check=True, text=True,
                          capture_output=True).stdout


before = stem + ".quantized.mlir"
stages = re.findall(r"^ir:(\S+): qopt-opt --pass-pipeline='(.*)'$", log, re.M)
for name, pipeline in stages:
    after = f"{stem}.{name}.mlir"
    made = print_module(before, f"--pass-pipeline={pipeline}")
    same = made == print_module(after)
    print(name, "is repeated" if same else "differs")
    before = after
