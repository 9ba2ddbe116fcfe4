"""export_fresh.py OUT [--only REGEX]: networks as people bring them, with inputs of 64
to 224 pixels, 1 to 2 s of audio, 32 to 128 tokens, as ONNX files; random weights."""
import torch
import torchaudio
import torchvision
import transformers

from export_torch import export
from networks import export_all, make_parser
from torch_networks import Named, image, of_timm, segmentation, vision
from torch_sequences import Lengths

TEXT = dict(hidden_size=256, num_hidden_layers=4, num_attention_heads=4,
            intermediate_size=1024, max_position_embeddings=256)


def text(kind, length, sizes=None, **options):
    def make():
        config = getattr(transformers, kind + "Config")(
            vocab_size=1000, **(sizes or {**TEXT, **options}))
        config._attn_implementation = "eager"
        network = getattr(transformers, kind + "Model")(config)
        return Named(network, ["input_ids"]), {
            "input_ids": torch.randint(3, 1000, (1, length))}
    return make


def waves(kind):
    def make():
        config = getattr(transformers, kind + "Config")(
            **{**TEXT, "num_hidden_layers": 3}, vocab_size=32,
            conv_dim=(128,) * 7, num_conv_pos_embeddings=64,
            num_conv_pos_embedding_groups=8)
        config._attn_implementation = "eager"
        return Named(getattr(transformers, kind + "Model")(config),
                     ["input_values"]), {"input_values": torch.randn(1, 16000)}
    return make


def spectrogram_transformer():
    config = transformers.ASTConfig(**{
        key: value for key, value in TEXT.items() if key != "max_position_embeddings"},
        max_length=128, num_mel_bins=64)
    config._attn_implementation = "eager"
    return Named(transformers.ASTModel(config), ["input_values"]), {
        "input_values": torch.randn(1, 128, 64)}


def whisper():
    config = transformers.WhisperConfig(
        vocab_size=1000, d_model=256, encoder_layers=4, encoder_attention_heads=4,
        decoder_layers=1, decoder_attention_heads=4, encoder_ffn_dim=1024,
        decoder_ffn_dim=1024, max_source_positions=100, pad_token_id=0,
        bos_token_id=1, eos_token_id=2, decoder_start_token_id=1)
    config._attn_implementation = "eager"
    return Named(transformers.WhisperModel(config).encoder, ["input_features"]), {
        "input_features": torch.randn(1, 80, 200)}


def conformer():
    return Lengths(torchaudio.models.Conformer(80, 4, 256, 4, 31)), {
        "frames": torch.randn(1, 100, 80)}


def video(name):
    def make():
        return torchvision.models.get_model(name, weights=None), {
            "pixels": torch.randn(1, 3, 8, 64, 64)}
    return make


NETWORKS = {
    # torchvision
    "resnet18_64": vision("resnet18"),
    "resnet50_128": vision("resnet50", 128),
    "mobilenet_v2_224": vision("mobilenet_v2", 224),
    "mobilenet_v3_large_160": vision("mobilenet_v3_large", 160),
    "efficientnet_b0_128": vision("efficientnet_b0", 128),
    "shufflenet_v2_224": vision("shufflenet_v2_x1_0", 224),
    "squeezenet_128": vision("squeezenet1_1", 128),
    "densenet121_96": vision("densenet121", 96),
    "regnet_y_400mf_128": vision("regnet_y_400mf", 128),
    "regnet_x_400mf_128": vision("regnet_x_400mf", 128),
    "mnasnet_160": vision("mnasnet1_0", 160),
    "googlenet_96": lambda: (torchvision.models.googlenet(
        weights=None, aux_logits=False, init_weights=False), image(96)),
    "vgg11_64": vision("vgg11_bn", 64),
    "convnext_tiny_64": vision("convnext_tiny", 64),
    "swin_t_96": vision("swin_t", 96),
    "lraspp_128": segmentation("lraspp_mobilenet_v3_large", 128),
    "deeplab_96": segmentation("deeplabv3_mobilenet_v3_large", 96),
    "fcn_64": segmentation("fcn_resnet50", 64),
    "r3d_18": video("r3d_18"),
    "mc3_18": video("mc3_18"),
    "r2plus1d_18": video("r2plus1d_18"),
    # timm
    "vit_tiny_224": of_timm("vit_tiny_patch16_224", 224),
    "deit_tiny_224": of_timm("deit_tiny_patch16_224", 224),
    "tiny_vit_224": of_timm("tiny_vit_5m_224", 224),
    "levit_128s_224": of_timm("levit_128s", 224),
    "mobilevit_xs_128": of_timm("mobilevit_xs", 128),
    "mobilevitv2_128": of_timm("mobilevitv2_050", 128),
    "efficientformer_224": of_timm("efficientformer_l1", 224),
    "ghostnet_128": of_timm("ghostnet_100", 128),
    "repvgg_128": of_timm("repvgg_a0", 128),
    "mixnet_128": of_timm("mixnet_s", 128),
    "poolformer_96": of_timm("poolformer_s12", 96),
    "edgenext_128": of_timm("edgenext_x_small", 128),
    "fastvit_128": of_timm("fastvit_t8", 128),
    "hrnet_128": of_timm("hrnet_w18_small", 128),
    "mixer_s16_224": of_timm("mixer_s16_224", 224),
    # text
    "bert_128": text("Bert", 128), "roberta_64": text("Roberta", 64),
    "electra_32": text("Electra", 32), "albert_128": text("Albert", 128),
    "distilbert_128": text("DistilBert", 128, dict(
        dim=256, n_layers=4, n_heads=4, hidden_dim=1024)),
    "deberta_64": text("DebertaV2", 64, relative_attention=True,
                       pos_att_type=["p2c", "c2p"]),
    "gpt2_64": text("GPT2", 64, dict(n_embd=256, n_layer=4, n_head=4)),
    "llama_64": text("Llama", 64, num_key_value_heads=2),
    "mpnet_128": text("MPNet", 128),
    # audio
    "wav2vec2": waves("Wav2Vec2"), "hubert": waves("Hubert"),
    "spectrogram_transformer": spectrogram_transformer, "whisper": whisper,
    "conformer": conformer,
}


def main():
    options = make_parser(__doc__).parse_args()
    torch.set_num_threads(1)
    export_all(options, NETWORKS, lambda name, make, folder: export(
        make, folder, legacy=False))


if __name__ == "__main__":
    main()
