"""Networks of torchvision, timm and transformers, small and with random weights.

Runs in the environment that exporters.py makes. `NETWORKS` maps a name to a
function that returns the module and its example inputs by name; both of
torch's exporters write each of them.
"""
import torch
import torchvision
import timm
import transformers
from torch import nn


def image(size, channels=3):
    return {"pixels": torch.randn(1, channels, size, size)}


def vision(name, size=64, **options):
    def make():
        return torchvision.models.get_model(
            name, weights=None, **options), image(size)
    return make


def segmentation(name, size=64):
    def make():
        model = torchvision.models.get_model(
            name, weights=None, weights_backbone=None, num_classes=5)
        return First(model), image(size)
    return make


def video():
    return (torchvision.models.video.r3d_18(weights=None, num_classes=10),
            {"pixels": torch.randn(1, 3, 4, 32, 32)})


def transformer_of_images():
    return torchvision.models.VisionTransformer(
        image_size=64, patch_size=16, num_layers=3, num_heads=4, hidden_dim=64,
        mlp_dim=128, num_classes=10), image(64)


def windows():
    return torchvision.models.SwinTransformer(
        patch_size=[4, 4], embed_dim=32, depths=[2, 2], num_heads=[2, 4],
        window_size=[4, 4], num_classes=10), image(64)


def of_timm(name, size=64, **options):
    def make():
        return timm.create_model(name, pretrained=False, **options), image(size)
    return make


class First(nn.Module):
    """A model whose answer is a dictionary or a record: its first tensor."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, *arguments):
        answer = self.model(*arguments)
        return next(iter(answer.values())) if hasattr(
            answer, "values") else answer[0]


class Named(First):
    """Inputs by name; masks and caches stay the model's own business."""

    def __init__(self, model, names, answer="last_hidden_state"):
        super().__init__(model)
        self.names, self.answer = names, answer

    def forward(self, *arguments):
        options = {"return_dict": True}
        if "use_cache" in self.model.forward.__code__.co_varnames:
            options["use_cache"] = False
        return getattr(self.model(**dict(zip(self.names, arguments)), **options),
                       self.answer)


SMALL = dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=4,
             intermediate_size=128, max_position_embeddings=64)


def tokens(kind, sizes=None, model=None, mask=False, **options):
    """A text model of transformers in a small configuration: `sizes` where its
    fields have other names, `options` beside the usual ones."""
    def make():
        fields = sizes or {**SMALL, **options}
        config = getattr(transformers, kind + "Config")(vocab_size=101, **fields)
        config._attn_implementation = "eager"
        network = getattr(transformers, model or kind + "Model")(config)
        inputs = {"input_ids": torch.randint(0, 101, (1, 16))}
        if mask:
            inputs["attention_mask"] = torch.ones(1, 16, dtype=torch.int64)
        return Named(network, list(inputs)), inputs
    return make


def wav2vec2():
    config = transformers.Wav2Vec2Config(
        hidden_size=64, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=128, conv_dim=(32, 32, 32), conv_stride=(5, 2, 2),
        conv_kernel=(10, 3, 3), num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4, vocab_size=32)
    config._attn_implementation = "eager"
    return Named(transformers.Wav2Vec2Model(config), ["input_values"]), {
        "input_values": torch.randn(1, 1600)}


def whisper():
    config = transformers.WhisperConfig(
        vocab_size=101, d_model=64, encoder_layers=2, encoder_attention_heads=4,
        decoder_layers=1, decoder_attention_heads=4, encoder_ffn_dim=128,
        decoder_ffn_dim=128, max_source_positions=32, num_mel_bins=20,
        pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1)
    config._attn_implementation = "eager"
    model = transformers.WhisperModel(config).encoder
    return Named(model, ["input_features"]), {
        "input_features": torch.randn(1, 20, 64)}


def of_pixels(kind, answer="last_hidden_state", **options):
    def make():
        config = getattr(transformers, kind + "Config")(**{
            **dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=4,
                   intermediate_size=128, image_size=64, patch_size=16),
            **options})
        config._attn_implementation = "eager"
        model = getattr(transformers, kind + "Model")(config)
        return Named(model, ["pixel_values"], answer), {
            "pixel_values": torch.randn(1, 3, 64, 64)}
    return make


def segformer():
    config = transformers.SegformerConfig(
        num_encoder_blocks=4, depths=[1, 1, 1, 1], hidden_sizes=[16, 32, 48, 64],
        decoder_hidden_size=32, num_labels=5)
    return Named(transformers.SegformerForSemanticSegmentation(config),
                 ["pixel_values"], "logits"), {
        "pixel_values": torch.randn(1, 3, 64, 64)}


NETWORKS = {
    # torchvision
    "resnet18": vision("resnet18", num_classes=10),
    "mobilenet_v2": vision("mobilenet_v2", num_classes=10),
    "mobilenet_v3_small": vision("mobilenet_v3_small", num_classes=10),
    "efficientnet_b0": vision("efficientnet_b0", num_classes=10),
    "shufflenet_v2": vision("shufflenet_v2_x0_5", num_classes=10),
    "squeezenet": vision("squeezenet1_1", num_classes=10),
    "densenet121": vision("densenet121", num_classes=10),
    "mnasnet": vision("mnasnet0_5", num_classes=10),
    "regnet": vision("regnet_y_400mf", num_classes=10),
    "googlenet": vision("googlenet", 64, num_classes=10, aux_logits=False,
                        init_weights=False),
    "lraspp": segmentation("lraspp_mobilenet_v3_large"),
    "r3d_18": video,
    "vit": transformer_of_images,
    "swin": windows,
    # timm
    "convnext_atto": of_timm("convnext_atto", num_classes=10),
    "ghostnet": of_timm("ghostnet_050", num_classes=10),
    "repvgg": of_timm("repvgg_a0", num_classes=10),
    "mixer": of_timm("mixer_s32_224", img_size=64, num_classes=10),
    "resmlp": of_timm("resmlp_12_224", img_size=64, num_classes=10),
    "pit": of_timm("pit_ti_224", img_size=64, num_classes=10),
    "cait": of_timm("cait_xxs24_224", img_size=64, num_classes=10, depth=2),
    "levit": of_timm("levit_128s", 64, img_size=64, num_classes=10),
    "poolformer": of_timm("poolformer_s12", num_classes=10),
    "mobilevit": of_timm("mobilevit_xxs", num_classes=10),
    "edgenext": of_timm("edgenext_xx_small", num_classes=10),
    "tinynet": of_timm("tinynet_e", num_classes=10),
    "lcnet": of_timm("lcnet_050", num_classes=10),
    "fastvit": of_timm("fastvit_t8", num_classes=10),
    # transformers
    "bert": tokens("Bert"),
    "bert_masked": tokens("Bert", mask=True),
    "roberta": tokens("Roberta"),
    "albert": tokens("Albert", embedding_size=32),
    "electra": tokens("Electra", embedding_size=32),
    "distilbert": tokens("DistilBert", dict(
        dim=64, n_layers=2, n_heads=4, hidden_dim=128,
        max_position_embeddings=64)),
    "gpt2": tokens("GPT2", dict(n_embd=64, n_layer=2, n_head=4, n_positions=64)),
    "gpt_neox": tokens("GPTNeoX"),
    "llama": tokens("Llama", num_key_value_heads=2),
    "qwen2": tokens("Qwen2", num_key_value_heads=2),
    "mistral": tokens("Mistral", num_key_value_heads=2),
    "opt": tokens("OPT", dict(
        hidden_size=64, num_hidden_layers=2, ffn_dim=128, num_attention_heads=4,
        max_position_embeddings=64, word_embed_proj_dim=64)),
    "bloom": tokens("Bloom", dict(hidden_size=64, n_layer=2, n_head=4)),
    "t5": tokens("T5", dict(d_model=64, d_kv=16, d_ff=128, num_layers=2,
                            num_heads=4), model="T5EncoderModel"),
    "vit_of_transformers": of_pixels("ViT"),
    "dinov2": of_pixels("Dinov2", mlp_ratio=2),
    "clip_vision": of_pixels("CLIPVision"),
    "segformer": segformer,
    "wav2vec2": wav2vec2,
    "whisper_encoder": whisper,
}
