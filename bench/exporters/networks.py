"""The loop of every exporting script: one folder a network, with `model.onnx` and
`samples.npz`, or `not-exported.txt` with the exporter's own refusal."""
import argparse
import pathlib
import re


def make_parser(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--only", default="", help="networks whose name matches")
    return parser


def export_all(options, networks, export):
    """`export(name, network, folder)` of all in `networks` (by name) that match
    `options.only` and have no samples yet. Its errors are a row as well."""
    for name, network in networks.items():
        folder = options.out / name
        if not re.search(options.only, name) or (folder / "samples.npz").exists():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        try:
            export(name, network, folder)
            (folder / "not-exported.txt").unlink(missing_ok=True)
        except Exception as error:
            line = (str(error).strip() or type(error).__name__).splitlines()[0]
            (folder / "not-exported.txt").write_text(line)
            print(f"{name}: {line[:160]}", flush=True)
