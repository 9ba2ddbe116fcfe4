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


def small_resnet():
    return torchvision.models.ResNet(
        torchvision.models.resnet.BasicBlock, [1, 1, 1, 1], groups=1,
        width_per_group=64, num_classes=10), image(64)


def small_densenet():
    return torchvision.models.DenseNet(
        growth_rate=8, block_config=(3, 4, 3), num_init_features=16,
        num_classes=10), image(64)


def video():
    def stage(before, after, stride):
        return [nn.Conv3d(before, after, 3, stride, 1, bias=False),
                nn.BatchNorm3d(after), nn.ReLU()]

    return nn.Sequential(
        *stage(3, 12, (1, 2, 2)), *stage(12, 16, 1), nn.MaxPool3d(2),
        *stage(16, 24, 2), nn.AdaptiveAvgPool3d(1), nn.Flatten(),
        nn.Linear(24, 10)), {"pixels": torch.randn(1, 3, 8, 32, 32)}


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
        return timm.create_model(
            name, pretrained=False, num_classes=10, **options), image(size)
    return make


def pooling_pyramid():
    return timm.models.metaformer.MetaFormer(
        num_classes=10, depths=(1, 1, 1, 1), dims=(16, 32, 48, 64),
        token_mixers=timm.models.metaformer.Pooling, use_mlp_head=False,
        norm_layers=timm.models.metaformer.GroupNorm1), image(64)


def pooling_transformer():
    return timm.models.pit.PoolingVisionTransformer(
        img_size=64, patch_size=16, stride=8, stem_type="overlap",
        base_dims=[16, 16, 16], depths=[1, 1, 1], heads=[2, 4, 8], mlp_ratio=2,
        num_classes=10), image(64)


def levit():
    return timm.models.levit.Levit(
        img_size=64, num_classes=10, embed_dim=(64, 96, 128), key_dim=16,
        depth=(1, 1, 1), num_heads=(2, 3, 4)), image(64)


def mixer(**options):
    def make():
        return timm.models.mlp_mixer.MlpMixer(
            num_classes=10, img_size=64, patch_size=16, num_blocks=3, embed_dim=96,
            **options), image(64)
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
        config._experts_implementation = "batched_mm"
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
        config._experts_implementation = "batched_mm"
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
    "resnet": small_resnet,
    "mobilenet_v2": vision("mobilenet_v2", num_classes=10, width_mult=0.35),
    "mobilenet_v3_small": vision("mobilenet_v3_small", num_classes=10,
                                 width_mult=0.5),
    "shufflenet_v2": vision("shufflenet_v2_x0_5", num_classes=10),
    "squeezenet": vision("squeezenet1_1", num_classes=10),
    "densenet": small_densenet,
    "mnasnet": vision("mnasnet0_5", num_classes=10),
    "lraspp": segmentation("lraspp_mobilenet_v3_large"),
    "video": video,
    "vit": transformer_of_images,
    "swin": windows,
    # timm
    "convnext": of_timm("test_convnext"),
    "efficientnet": of_timm("test_efficientnet"),
    "nfnet": of_timm("test_nfnet"),
    "byobnet": of_timm("test_byobnet"),
    "mambaout": of_timm("test_mambaout"),
    "maxvit": of_timm("test_maxvit", img_size=64),
    "vit_relpos": of_timm("test_vit_relpos", img_size=64),
    "ghostnet": of_timm("ghostnet_050"),
    "mixer": mixer(),
    "resmlp": mixer(block_layer=timm.models.mlp_mixer.ResBlock, mlp_ratio=4,
                    norm_layer=timm.models.mlp_mixer.Affine),
    "pit": pooling_transformer,
    "cait": of_timm("cait_xxs24_224", img_size=64, depth=2),
    "levit": levit,
    "poolformer": pooling_pyramid,
    "mobilevit": of_timm("mobilevit_xxs"),
    "edgenext": of_timm("edgenext_xx_small"),
    "tinynet": of_timm("tinynet_e"),
    "lcnet": of_timm("lcnet_050"),
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
