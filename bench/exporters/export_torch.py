"""export_torch.py OUT [--legacy] [--only REGEX]: NETWORKS as ONNX files, by the
exporter of today (a traced graph) or by TorchScript (--legacy)."""
import torch
from torch import nn

from networks import export_all, make_parser
from samples import write_samples
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


def export(make, folder, legacy):
    torch.manual_seed(0)
    model, inputs = make()
    model.eval()
    shake(model)
    path = str(folder / "model.onnx")
    arguments = tuple(inputs.values())
    options = dict(input_names=list(inputs), output_names=["result"])
    with torch.no_grad():
        if legacy:
            torch.onnx.export(model, arguments, path, dynamo=False,
                              opset_version=17, **options)
        else:
            torch.onnx.export(model, arguments, dynamo=True, external_data=False,
                              **options).save(path)
    write_samples(folder, {key: value.numpy() for key, value in inputs.items()})


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--legacy", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    export_all(options, NETWORKS, lambda name, make, folder: export(
        make, folder, options.legacy))


if __name__ == "__main__":
    main()
