"""Recurrent networks of torch: layers, cells in loops, and what stands around them."""
import torch
from torch import nn


class Recurrent(nn.Module):
    """A recurrent layer between a product before and one behind; `last` keeps the
    last step, `state` takes the states as inputs and gives them back."""

    def __init__(self, kind, hidden=24, last=False, state=False, **options):
        super().__init__()
        self.before = nn.Linear(12, 16)
        self.layer = getattr(nn, kind)(16, hidden, batch_first=True, **options)
        wide = (options.get("proj_size") or hidden) * \
            (2 if options.get("bidirectional") else 1)
        self.behind = nn.Linear(wide, 5)
        self.last, self.state = last, state

    def forward(self, x, *states):
        x = torch.tanh(self.before(x))
        state = None
        if self.state:
            state = states if isinstance(self.layer, nn.LSTM) else states[0]
        y, made = self.layer(x, state)
        y = self.behind(y[:, -1] if self.last else y)
        if not self.state:
            return y
        return (y, *made) if isinstance(made, tuple) else (y, made)


def layer(kind, steps=10, **options):
    def make():
        inputs = {"x": torch.randn(1, steps, 12)}
        if options.get("state"):
            inputs["h"] = torch.randn(1, 1, 24)
            if kind == "LSTM":
                inputs["c"] = torch.randn(1, 1, 24)
        return Recurrent(kind, **options), inputs
    return make


class Packed(nn.Module):
    """Sequences of several lengths in one batch, as PyTorch packs them."""

    def __init__(self):
        super().__init__()
        self.layer = nn.LSTM(12, 16, batch_first=True)
        self.behind = nn.Linear(16, 4)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(
            x, lengths, batch_first=True, enforce_sorted=False)
        y, _ = nn.utils.rnn.pad_packed_sequence(
            self.layer(packed)[0], batch_first=True, total_length=8)
        return self.behind(y)


class Translator(nn.Module):
    """An encoder, and a decoder that attends to it and reads what it said."""

    def __init__(self, steps=5):
        super().__init__()
        self.embed = nn.Embedding(31, 16)
        self.encoder = nn.GRU(16, 24, batch_first=True)
        self.cell = nn.GRUCell(16 + 24, 24)
        self.head = nn.Linear(24, 31)
        self.steps = steps

    def forward(self, tokens):
        seen, state = self.encoder(self.embed(tokens))
        state, said = state[0], torch.zeros(tokens.shape[0], dtype=torch.int64)
        answers = []
        for _ in range(self.steps):
            share = torch.softmax((seen @ state[:, :, None])[..., 0], 1)
            context = (share[:, None] @ seen)[:, 0]
            state = self.cell(torch.cat([self.embed(said), context], 1), state)
            answers.append(self.head(state))
            said = answers[-1].argmax(1)
        return torch.stack(answers, 1)


class Cells(nn.Module):
    def __init__(self, kind, steps=6):
        super().__init__()
        self.cell, self.steps = getattr(nn, kind)(8, 16), steps
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        state = torch.zeros(x.shape[0], 16)
        if isinstance(self.cell, nn.LSTMCell):
            state = (state, state)
        for i in range(self.steps):
            state = self.cell(x[:, i], state)
        return self.head(state[0] if isinstance(state, tuple) else state)


class Reader(nn.Module):
    """Text lines: convolutions, a recurrent layer over columns, CTC's logarithms."""

    def __init__(self):
        super().__init__()
        self.look = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
            nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d((2, 1)))
        self.layer = nn.LSTM(16 * 4, 24, 2, bidirectional=True)
        self.head = nn.Linear(48, 11)

    def forward(self, x):
        x = self.look(x).flatten(1, 2).permute(2, 0, 1)
        return torch.log_softmax(self.head(self.layer(x)[0]), -1)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(61, 16)
        self.layer = nn.LSTM(16, 24, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(nn.Linear(48, 16), nn.ReLU(), nn.Linear(16, 3))

    def forward(self, tokens):
        return self.head(self.layer(self.embed(tokens))[0].max(1).values)


class Convolving(nn.Module):
    """A cell of convolutions (ConvLSTM)."""

    def __init__(self, steps=4):
        super().__init__()
        self.gates, self.steps = nn.Conv2d(3 + 8, 32, 3, padding=1), steps
        self.head = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        h = c = torch.zeros(x.shape[0], 8, *x.shape[-2:])
        for i in range(self.steps):
            a, b, d, e = self.gates(torch.cat([x[:, i], h], 1)).chunk(4, 1)
            c = torch.sigmoid(b) * c + torch.sigmoid(a) * torch.tanh(d)
            h = torch.sigmoid(e) * torch.tanh(c)
        return self.head(h)


@torch.jit.script
def leak(x, w):
    state = torch.zeros(x.shape[0], w.shape[0])
    for i in range(x.shape[1]):
        state = 0.5 * state + torch.tanh(x[:, i] @ w.t() + state @ w)
    return state


class Scripted(nn.Module):
    """A loop that stays one: TorchScript writes Loop."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(12, 12) / 4)
        self.head = nn.Linear(12, 4)

    def forward(self, x):
        return self.head(leak(x, self.w))


class Enhancer(nn.Module):
    """Noise suppression: gains of bands by two GRU layers."""

    def __init__(self):
        super().__init__()
        self.layer1 = nn.GRU(22, 24, batch_first=True)
        self.layer2 = nn.GRU(46, 32, batch_first=True)
        self.gain = nn.Linear(32, 22)

    def forward(self, bands):
        y = torch.relu(self.layer1(bands)[0])
        y = torch.relu(self.layer2(torch.cat([y, bands], -1))[0])
        return torch.sigmoid(self.gain(y)) * bands


def plain(make, **shapes):
    return lambda: (make(), {key: torch.randn(1, *shape)
                             for key, shape in shapes.items()})


def of_tokens(make, count, length):
    return lambda: (make(), {"tokens": torch.randint(0, count, (1, length))})


NETWORKS = {
    "lstm": layer("LSTM"), "gru": layer("GRU"), "rnn": layer("RNN"),
    "rnn_relu": layer("RNN", nonlinearity="relu", last=True),
    "lstm_both": layer("LSTM", bidirectional=True),
    "gru_both": layer("GRU", bidirectional=True, last=True),
    "lstm_deep": layer("LSTM", num_layers=2, last=True),
    "gru_deep_both": layer("GRU", num_layers=2, bidirectional=True, bias=False),
    "lstm_states": layer("LSTM", steps=1, state=True),
    "gru_states": layer("GRU", steps=3, state=True),
    "lstm_projected": layer("LSTM", proj_size=8),
    "lstm_packed": lambda: (Packed(), {"x": torch.randn(2, 8, 12),
                                       "lengths": torch.tensor([5, 8])}),
    "translator": of_tokens(Translator, 31, 9),
    "lstm_cells": plain(lambda: Cells("LSTMCell"), x=(6, 8)),
    "rnn_cells": plain(lambda: Cells("RNNCell"), x=(6, 8)),
    "text_lines": plain(Reader, x=(1, 16, 48)),
    "text_classes": of_tokens(Classifier, 61, 14),
    "conv_lstm": plain(Convolving, x=(4, 3, 8, 8)),
    "scripted_loop": plain(Scripted, x=(7, 12)),
    "enhancer": plain(Enhancer, bands=(12, 22)),
}
