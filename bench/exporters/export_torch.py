"""export_torch.py OUT [--legacy] [--only REGEX]: NETWORKS as ONNX files, by the
exporter of today (a traced graph), or some of each kind by TorchScript (--legacy)."""
import torch
from torch import nn

import torch_detection
import torch_networks
import torch_recurrent
import torch_sequences
from networks import export_all, make_parser
from samples import write_samples

NETWORKS = {name: make for of in (torch_networks, torch_recurrent, torch_detection,
                                  torch_sequences) for name, make in of.NETWORKS.items()}
LEGACY = ["mobilenet_v3_small", "densenet", "shufflenet_v2", "swin", "levit",
          "mobilevit", "mixer", "bert", "gpt2", "llama", "bloom", "t5", "segformer",
          "wav2vec2", *torch_recurrent.NETWORKS, *torch_detection.NETWORKS,
          "mixtral", "qwen2_moe", "experts", "deberta", "mamba", "t5_both", "bart",
          "whisper", "hubert", "mel", "conformer", "deep_speech"]


def shake(model):
    """Weights as after training where a fresh model has others: statistics and gains
    of normalizations that are not 0 and 1, branches that are not nearly 0 beside what
    they are added to (a scale of 1e-5, products of deviation 0.02)."""
    for name, value in model.named_parameters():
        if value.dim() == 1 and 0 < value.abs().max() < 1e-2 and \
                not name.endswith("bias"):
            value.data.uniform_(0.5, 1.5)
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
        elif isinstance(module, nn.Conv2d) and module.weight.std() < \
                0.5 * module.weight[0].numel() ** -0.5:  # the heads of detectors
            module.weight.data.normal_(0, module.weight[0].numel() ** -0.5)
        elif isinstance(module, nn.Linear):
            wanted = module.in_features ** -0.5
            if module.weight.std() < 0.5 * wanted:
                module.weight.data.normal_(0, wanted)
        elif type(module).__name__ == "Conv1D":  # GPT-2's products
            module.weight.data.normal_(0, module.weight.shape[0] ** -0.5)


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
                              verbose=False, **options).save(path)
    write_samples(folder, {key: value.numpy() for key, value in inputs.items()})


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--legacy", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    networks = {name: NETWORKS[name] for name in LEGACY} if options.legacy else NETWORKS
    export_all(options, networks, lambda name, make, folder: export(
        make, folder, options.legacy))


if __name__ == "__main__":
    main()
