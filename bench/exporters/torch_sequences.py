"""Experts, decoders, encoder-decoders and audio: small configurations of
transformers and torchaudio."""
import torch
import torchaudio
import transformers
from torch import nn

from torch_networks import SMALL, Named, tokens

EXPERTS = dict(num_key_value_heads=2, num_experts_per_tok=2)


def both(kind, model=None, **options):
    """An encoder-decoder: tokens into both."""
    def make():
        config = getattr(transformers, kind + "Config")(
            vocab_size=101, pad_token_id=0, bos_token_id=1, eos_token_id=2,
            decoder_start_token_id=1, **options)
        config._attn_implementation = "eager"
        names = ["input_ids", "decoder_input_ids"]
        return Named(getattr(transformers, model or kind + "Model")(config), names), {
            "input_ids": torch.randint(3, 101, (1, 12)),
            "decoder_input_ids": torch.randint(3, 101, (1, 7))}
    return make


BOTH = dict(d_model=64, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
            decoder_attention_heads=4, encoder_ffn_dim=128, decoder_ffn_dim=128)


def whisper():
    config = transformers.WhisperConfig(
        vocab_size=101, max_source_positions=32, num_mel_bins=20, pad_token_id=0,
        bos_token_id=1, eos_token_id=2, decoder_start_token_id=1, **BOTH)
    config._attn_implementation = "eager"
    return Named(transformers.WhisperModel(config),
                 ["input_features", "decoder_input_ids"]), {
        "input_features": torch.randn(1, 20, 64),
        "decoder_input_ids": torch.randint(3, 101, (1, 6))}


def waves(kind, answer="last_hidden_state", **options):
    def make():
        config = getattr(transformers, kind + "Config")(**{**dict(
            hidden_size=64, num_hidden_layers=2, num_attention_heads=4,
            intermediate_size=128, conv_dim=(32, 32, 32), conv_stride=(5, 2, 2),
            conv_kernel=(10, 3, 3), num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=4, vocab_size=32), **options})
        config._attn_implementation = "eager"
        return Named(getattr(transformers, kind + "Model")(config), ["input_values"],
                     answer), {"input_values": torch.randn(1, 1600)}
    return make


def spectrogram_transformer():
    config = transformers.ASTConfig(
        hidden_size=64, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=128, max_length=64, num_mel_bins=32)
    config._attn_implementation = "eager"
    return Named(transformers.ASTModel(config), ["input_values"]), {
        "input_values": torch.randn(1, 64, 32)}


class Heard(nn.Module):
    """Features of a wave, and a small network on them."""

    def __init__(self, features, network, logarithm=True):
        super().__init__()
        self.features, self.network = features, network
        self.logarithm = logarithm

    def forward(self, wave):
        x = self.features(wave)
        return self.network(torch.log(x + 1e-3) if self.logarithm else x)


def heard(make, bands, logarithm=True):
    return lambda: (Heard(make(), nn.Sequential(
        nn.Conv1d(bands, 16, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(),
        nn.Linear(16, 5)), logarithm), {"wave": torch.randn(1, 1600)})


class Lengths(nn.Module):
    """A model that wants lengths as well: all of them."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x, torch.tensor([x.shape[1]]))[0]


class Experts(nn.Module):
    """A sparse mixture as a loop over experts, each of all rows."""

    def __init__(self, count=4, best=2):
        super().__init__()
        self.gate = nn.Linear(32, count)
        self.experts = nn.ModuleList(nn.Sequential(
            nn.Linear(32, 48), nn.SiLU(), nn.Linear(48, 32)) for _ in range(count))
        self.best = best

    def forward(self, x):
        share, where = torch.softmax(self.gate(x), -1).topk(self.best, -1)
        weights = torch.zeros(*x.shape[:-1], len(self.experts)).scatter(
            -1, where, share / share.sum(-1, keepdim=True))
        return x + sum(weights[..., i:i + 1] * expert(x)
                       for i, expert in enumerate(self.experts))


class Inverse(nn.Module):
    """Masks a spectrum and goes back to a wave."""

    def __init__(self):
        super().__init__()
        self.mask = nn.Linear(33, 33)
        self.register_buffer("window", torch.hann_window(64))

    def forward(self, wave):
        found = torch.stft(wave, 64, 16, window=self.window, return_complex=True)
        share = torch.sigmoid(self.mask(found.abs().transpose(1, 2))).transpose(1, 2)
        return (found.abs() * share).sum(1)


NETWORKS = {
    # mixtures of experts
    "mixtral": tokens("Mixtral", num_local_experts=4, **EXPERTS),
    "qwen2_moe": tokens("Qwen2Moe", num_experts=4, moe_intermediate_size=48,
                        shared_expert_intermediate_size=64, **EXPERTS),
    "qwen3_moe": tokens("Qwen3Moe", num_experts=4, moe_intermediate_size=48,
                        head_dim=16, **EXPERTS),
    "olmoe": tokens("Olmoe", num_experts=4, **EXPERTS),
    "experts": lambda: (Experts(), {"x": torch.randn(1, 9, 32)}),
    # decoders and encoders
    "gemma2": tokens("Gemma2", num_key_value_heads=2, head_dim=16),
    "phi3": tokens("Phi3", num_key_value_heads=2, pad_token_id=0),
    "falcon": tokens("Falcon"),
    "qwen3": tokens("Qwen3", num_key_value_heads=2, head_dim=16),
    "olmo2": tokens("Olmo2", num_key_value_heads=2),
    "gptj": tokens("GPTJ", dict(n_embd=64, n_layer=2, n_head=4, n_positions=64,
                                rotary_dim=8)),
    "deberta": tokens("DebertaV2", relative_attention=True, pos_att_type=["p2c", "c2p"],
                      position_buckets=8),
    "xlnet": tokens("XLNet", dict(d_model=64, n_layer=2, n_head=4, d_inner=128)),
    "mamba": tokens("Mamba", dict(hidden_size=32, num_hidden_layers=2, state_size=8)),
    "squeezebert": tokens("SqueezeBert", embedding_size=64),
    "t5_both": both("T5", d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4),
    "bart": both("Bart", max_position_embeddings=64, **BOTH),
    "whisper": whisper,
    # audio
    "hubert": waves("Hubert"), "wavlm": waves("WavLM", num_buckets=32),
    "sew": waves("SEW", squeeze_factor=2),
    "spectrogram_transformer": spectrogram_transformer,
    "mel": heard(lambda: torchaudio.transforms.MelSpectrogram(
        16000, n_fft=128, n_mels=20), 20),
    "spectrum": heard(lambda: torchaudio.transforms.Spectrogram(
        n_fft=64, hop_length=32, power=1.0, center=False), 33),
    "mfcc": heard(lambda: torchaudio.transforms.MFCC(
        16000, 13, melkwargs=dict(n_fft=128, n_mels=20)), 13, False),
    "masked_spectrum": lambda: (Inverse(), {"wave": torch.randn(1, 800)}),
    "conformer": lambda: (Lengths(torchaudio.models.Conformer(20, 2, 32, 2, 7)), {
        "x": torch.randn(1, 24, 20)}),
    "conv_tasnet": lambda: (torchaudio.models.ConvTasNet(
        2, 16, 32, 16, 24, 3, 3, 1), {"wave": torch.randn(1, 1, 800)}),
    "deep_speech": lambda: (torchaudio.models.DeepSpeech(20, 24, 12), {
        "x": torch.randn(1, 1, 16, 20)}),
}
