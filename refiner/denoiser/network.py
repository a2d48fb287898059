"""The network: a small one-dimensional U-Net over frames, told by condition tokens that attend to one another first.

Every condition may be missing: its tokens are then replaced by a learnt one that says so.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from choreodb.refiner.denoiser.features import CHANNELS, FRAMES

CONDITIONS = ("music", "embedding", "retrieved", "known", "style")
MUSIC_CHANNELS = 20
"""16 bands of log-mel, onset strength, and the phase of the beat as sine, cosine and whether it is known."""


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """width: channels at full rate; they double with every halving of the rate, `levels` times. tokens: width of condition
    tokens; heads: of attention. styles: labels that are known, in order. embedding: width of the shared space."""

    width: int = 64
    levels: int = 2
    tokens: int = 128
    heads: int = 4
    styles: tuple[str, ...] = ()
    embedding: int = 256

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "styles": list(self.styles), "channels": CHANNELS, "frames": FRAMES}


@dataclass(frozen=True, slots=True)
class Conditions:
    """music: [B, 64, 20]. embedding: [B, 256]. retrieved: [B, 64, 139], normalised. known: [B, 64, 139], normalised, 0
    where it is not. mask: [B, 64], 1 where known. style: [B]. has: [B, 5] which of `CONDITIONS` are there."""

    music: Tensor
    embedding: Tensor
    retrieved: Tensor
    known: Tensor
    mask: Tensor
    style: Tensor
    has: Tensor

    def without(self) -> Conditions:
        """The same with all but the known frames missing, for guidance."""
        has = torch.zeros_like(self.has)
        has[:, CONDITIONS.index("known")] = self.has[:, CONDITIONS.index("known")]
        return Conditions(self.music, self.embedding, self.retrieved, self.known, self.mask, self.style, has)

    def rows(self, index: Any) -> Conditions:
        """Some of the batch."""
        return Conditions(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


class _Block(nn.Module):
    """Two convolutions with a scale and a shift from the condition, and a short cut."""

    def __init__(self, width: int, out: int, told: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.first = nn.Conv1d(width, out, 5, padding=2)
        self.told = nn.Linear(told, 2 * out)
        self.norm_again = nn.GroupNorm(8, out)
        self.second = nn.Conv1d(out, out, 5, padding=2)
        self.short = nn.Conv1d(width, out, 1) if width != out else nn.Identity()

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        scale, shift = self.told(told)[..., None].chunk(2, dim=1)
        hidden = self.first(nn.functional.silu(self.norm(x)))
        hidden = self.norm_again(hidden) * (1.0 + scale) + shift
        return self.short(x) + self.second(nn.functional.silu(hidden))


class _Tokens(nn.Module):
    """Condition tokens [B, K, D] that have attended to one another."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width = config.tokens
        self.music = nn.Conv1d(MUSIC_CHANNELS, width, 8, stride=8)
        self.retrieved = nn.Conv1d(CHANNELS, width, 8, stride=8)
        self.known = nn.Conv1d(CHANNELS + 1, width, 8, stride=8)
        self.embedding = nn.Linear(config.embedding, width)
        self.style = nn.Embedding(len(config.styles) + 1, width)
        self.kind = nn.Parameter(0.02 * torch.randn(len(CONDITIONS), width))
        self.missing = nn.Parameter(0.02 * torch.randn(len(CONDITIONS), width))
        self.place = nn.Parameter(0.02 * torch.randn(FRAMES // 8, width))
        self.among = nn.TransformerEncoderLayer(width, config.heads, 2 * width, 0.0, batch_first=True, norm_first=True)

    def forward(self, given: Conditions) -> Tensor:
        """Tokens of all conditions after they have attended to one another; those that are missing stand as learnt."""
        known = torch.cat([given.known, given.mask[..., None]], dim=-1)
        parts = {
            "music": self.music(given.music.transpose(1, 2)).transpose(1, 2) + self.place,
            "embedding": self.embedding(given.embedding)[:, None],
            "retrieved": self.retrieved(given.retrieved.transpose(1, 2)).transpose(1, 2) + self.place,
            "known": self.known(known.transpose(1, 2)).transpose(1, 2) + self.place,
            "style": self.style(given.style)[:, None],
        }
        tokens = []
        for number, name in enumerate(CONDITIONS):
            there = given.has[:, number, None, None]
            tokens.append(there * parts[name] + (1.0 - there) * self.missing[number] + self.kind[number])
        return self.among(torch.cat(tokens, dim=1))


class Network(nn.Module):
    """(noisy windows [B, 64, 139], level of noise, conditions) to the clean windows, all normalised."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.width * 2**level for level in range(config.levels + 1)]
        told = config.tokens
        self.tokens = _Tokens(config)
        self.level = nn.Sequential(nn.Linear(32, told), nn.SiLU(), nn.Linear(told, told))
        self.enter = nn.Conv1d(3 * CHANNELS + 1, widths[0], 3, padding=1)
        self.down = nn.ModuleList(_Block(width, width, told) for width in widths[:-1])
        self.shrink = nn.ModuleList(nn.Conv1d(a, b, 4, 2, 1) for a, b in pairwise(widths))
        self.middle = nn.ModuleList(_Block(widths[-1], widths[-1], told) for _ in range(2))
        self.asks = nn.Linear(widths[-1], told)
        self.hears = nn.MultiheadAttention(told, config.heads, batch_first=True)
        self.answer = nn.Linear(told, widths[-1])
        self.grow = nn.ModuleList(nn.Conv1d(b, a, 5, padding=2) for a, b in pairwise(widths))
        self.up = nn.ModuleList(_Block(2 * width, width, told) for width in widths[:-1])
        self.leave = nn.Conv1d(widths[0], CHANNELS, 3, padding=1)
        # an untrained network changes nothing of what was retrieved
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, noisy: Tensor, level: Tensor, given: Conditions) -> Tensor:
        """level: [B] as `precondition` gives it. Where motion was retrieved, the answer is a change of it."""
        tokens = self.tokens(given)
        told = self.level(_waves(level)) + tokens.mean(dim=1)
        there = given.has[:, CONDITIONS.index("retrieved"), None, None]
        base = there * given.retrieved
        seen = torch.cat([noisy, base, given.known, given.mask[..., None]], dim=-1)
        x = self.enter(seen.transpose(1, 2))
        kept = []
        for block, shrink in zip(self.down, self.shrink, strict=True):
            x = block(x, told)
            kept.append(x)
            x = shrink(x)
        x = self.middle[0](x, told)
        asked = self.asks(x.transpose(1, 2))
        x = x + self.answer(self.hears(asked, tokens, tokens, need_weights=False)[0]).transpose(1, 2)
        x = self.middle[1](x, told)
        for number in reversed(range(len(self.up))):
            x = self.grow[number](nn.functional.interpolate(x, scale_factor=2.0, mode="nearest"))
            x = self.up[number](torch.cat([x, kept[number]], dim=1), told)
        return base + self.leave(nn.functional.silu(x)).transpose(1, 2)


def _waves(level: Tensor) -> Tensor:
    """Sines and cosines [B, 32] of the noise level."""
    hertz = torch.exp(torch.linspace(-2.0, 3.0, 16, device=level.device))
    angle = level[:, None] * hertz
    return torch.cat([torch.sin(angle), torch.cos(angle)], dim=1)
