"""export_torch.py OUT [--legacy] [--only REGEX]: NETWORKS as ONNX files, by the
exporter of today (a traced graph) or by TorchScript (--legacy)."""
import argparse
import pathlib
import re
import traceback

import numpy as np
import torch
from torch import nn

from samples import SAMPLES, write_samples
from torch_networks import NETWORKS


def shake(model):
    """Normalizations as after training: statistics and gains that are not 0 and 1."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
            if module.affine:
                module.weight.data.uniform_(0.5, 1.5)
                module.bias.data.normal_(0, 0.2)
        elif isinstance(module, nn.LayerNorm) and module.elementwise_affine:
            module.weight.data.uniform_(0.5, 1.5)
            if module.bias is not None:
                module.bias.data.normal_(0, 0.2)
        elif isinstance(module, nn.Linear) and not module.weight.any():
            module.weight.data.normal_(0, 0.1)  # a head that waits for training


def export(name, out, legacy):
    torch.manual_seed(0)
    model, inputs = NETWORKS[name]()
    model.eval()
    shake(model)
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    options = dict(input_names=list(inputs), output_names=["result"])
    with torch.no_grad():
        if legacy:
            torch.onnx.export(model, tuple(inputs.values()),
                              str(folder / "model.onnx"), dynamo=False,
                              opset_version=17, **options)
        else:
            torch.onnx.export(model, tuple(inputs.values()), dynamo=True,
                              external_data=False, **options).save(
                                  str(folder / "model.onnx"))
    write_samples(folder, {key: value.numpy() for key, value in inputs.items()})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--legacy", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in NETWORKS:
        if not re.search(options.only, name):
            continue
        if (options.out / name / "samples.npz").exists():
            continue
        try:
            export(name, options.out, options.legacy)
        except Exception as error:  # an exporter's own refusal is a row as well
            line = str(error).strip().splitlines() or [type(error).__name__]
            (options.out / name).mkdir(parents=True, exist_ok=True)
            (options.out / name / "not-exported.txt").write_text(line[0])
            print(f"{name}: {line[0][:160]}", flush=True)


if __name__ == "__main__":
    main()
