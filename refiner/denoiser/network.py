"""The network: a small one-dimensional U-Net over frames that predicts a change of what it is given.

It is told by condition tokens that attend to one another first. Every condition may be missing: its tokens are then replaced
by a learnt one that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from choreodb.refiner.denoiser.features import CHANGES, FRAMES, SEEN

CONDITIONS = ("music", "embedding", "retrieved", "known", "style")
MUSIC_CHANNELS = 20
"""16 bands of log-mel, onset strength, and the phase of the beat as sine, cosine and whether it is known."""
_STRIDE = 8


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """widths: channels at full rate, at half, and so on. tokens: width of condition tokens; heads: of attention. styles:
    labels that are known, in order. embedding: width of the shared space."""

    widths: tuple[int, ...] = (64, 128, 256)
    tokens: int = 128
    heads: int = 4
    styles: tuple[str, ...] = ()
    embedding: int = 256

    @classmethod
    def of_card(cls, said: Mapping[str, Any]) -> NetworkConfig:
        """What `as_dict` said; KeyError, TypeError or ValueError where it did not say that."""
        tokens, heads, embedding = (int(said[name]) for name in ("tokens", "heads", "embedding"))
        widths, styles = tuple(int(width) for width in said["widths"]), tuple(str(style) for style in said["styles"])
        return cls(widths, tokens, heads, styles, embedding)

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **asdict(self),
            "styles": list(self.styles),
            "widths": list(self.widths),
            "seen": SEEN,
            "frames": FRAMES,
        }


@dataclass(frozen=True, slots=True)
class Conditions:
    """seen: [B, N, 139] the motion as given, normalised. free: [B, N], how much of a change is let through. music:
    [B, N, 20]. embedding: [B, 256]. style: [B]. has: [B, 5] which of `CONDITIONS` are there; without `retrieved`, what is seen
    where a change is let through is a bridge between known frames, and without `known` nobody says which those are."""

    seen: Tensor
    free: Tensor
    music: Tensor
    embedding: Tensor
    style: Tensor
    has: Tensor

    def without(self) -> Conditions:
        """The same with all but the motion itself missing, for guidance."""
        has = torch.zeros_like(self.has)
        for name in ("retrieved", "known"):
            has[:, CONDITIONS.index(name)] = self.has[:, CONDITIONS.index(name)]
        return Conditions(self.seen, self.free, self.music, self.embedding, self.style, has)


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
        out: Tensor = self.short(x) + self.second(nn.functional.silu(hidden))
        return out


class _Tokens(nn.Module):
    """Condition tokens [B, K, D] that have attended to one another."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width = config.tokens
        self.music = nn.Conv1d(MUSIC_CHANNELS, width, _STRIDE, stride=_STRIDE)
        self.retrieved = nn.Conv1d(SEEN, width, _STRIDE, stride=_STRIDE)
        self.known = nn.Conv1d(SEEN + 1, width, _STRIDE, stride=_STRIDE)
        self.embedding = nn.Linear(config.embedding, width)
        self.style = nn.Embedding(len(config.styles) + 1, width)
        self.kind = nn.Parameter(0.02 * torch.randn(len(CONDITIONS), width))
        self.missing = nn.Parameter(0.02 * torch.randn(len(CONDITIONS), width))
        self.place = nn.Parameter(0.02 * torch.randn(FRAMES // _STRIDE, width))
        self.among = nn.TransformerEncoderLayer(width, config.heads, 2 * width, 0.0, batch_first=True, norm_first=True)

    def forward(self, given: Conditions) -> Tensor:
        """Tokens of all conditions after they have attended to one another; those that are missing stand as learnt."""
        known = (given.free == 0.0).to(given.seen.dtype)[..., None]
        parts = {
            "music": _strided(self.music, given.music) + self.place,
            "embedding": self.embedding(given.embedding)[:, None],
            "retrieved": _strided(self.retrieved, given.seen * (1.0 - known)) + self.place,
            "known": _strided(self.known, torch.cat([given.seen * known, known], dim=-1)) + self.place,
            "style": self.style(given.style)[:, None],
        }
        tokens = []
        for number, name in enumerate(CONDITIONS):
            there = given.has[:, number, None, None]
            tokens.append(there * parts[name] + (1.0 - there) * self.missing[number] + self.kind[number])
        out: Tensor = self.among(torch.cat(tokens, dim=1))
        return out


def _strided(layer: nn.Conv1d, frames: Tensor) -> Tensor:
    out: Tensor = layer(frames.transpose(1, 2)).transpose(1, 2)
    return out


class Network(nn.Module):
    """(noisy changes [B, N, 69], level of noise, conditions) to the clean changes, all normalised."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        widths, told = config.widths, config.tokens
        self.tokens = _Tokens(config)
        self.level = nn.Sequential(nn.Linear(32, told), nn.SiLU(), nn.Linear(told, told))
        self.enter = nn.Conv1d(CHANGES + 2 * SEEN + 3, widths[0], 3, padding=1)
        self.down = nn.ModuleList(_Block(width, width, told) for width in widths[:-1])
        self.shrink = nn.ModuleList(nn.Conv1d(a, b, 4, 2, 1) for a, b in pairwise(widths))
        self.middle = nn.ModuleList(_Block(widths[-1], widths[-1], told) for _ in range(2))
        self.place = nn.Parameter(0.02 * torch.randn(FRAMES // 2 ** (len(widths) - 1), told))
        self.asks = nn.Linear(widths[-1], told)
        self.hears = nn.MultiheadAttention(told, config.heads, batch_first=True)
        self.answer = nn.Linear(told, widths[-1])
        self.grow = nn.ModuleList(nn.Conv1d(b, a, 3, padding=1) for a, b in pairwise(widths))
        self.up = nn.ModuleList(_Block(2 * width, width, told) for width in widths[:-1])
        self.leave = nn.Conv1d(widths[0], CHANGES, 3, padding=1)
        # an untrained network changes nothing
        nn.init.zeros_(self.leave.weight)
        if self.leave.bias is not None:
            nn.init.zeros_(self.leave.bias)

    def forward(self, noisy: Tensor, level: Tensor, given: Conditions) -> Tensor:
        """level: [B] as `precondition` gives it."""
        tokens = self.tokens(given)
        told = self.level(_waves(level)) + tokens.mean(dim=1)
        x = self.enter(_entering(noisy, given).transpose(1, 2))
        kept = []
        for block, shrink in zip(self.down, self.shrink, strict=True):
            x = block(x, told)
            kept.append(x)
            x = shrink(x)
        x = self.middle[0](x, told)
        asked = self.asks(x.transpose(1, 2)) + self.place
        heard = torch.cat([asked, tokens], dim=1)
        x = x + self.answer(self.hears(asked, heard, heard, need_weights=False)[0]).transpose(1, 2)
        x = self.middle[1](x, told)
        for number in reversed(range(len(self.up))):
            x = self.grow[number](nn.functional.interpolate(x, scale_factor=2.0, mode="nearest"))
            x = self.up[number](torch.cat([x, kept[number]], dim=1), told)
        out: Tensor = self.leave(nn.functional.silu(x)).transpose(1, 2) * given.free[..., None]
        return out


def _entering(noisy: Tensor, given: Conditions) -> Tensor:
    """All that stands beside every frame: noise, the motion and how it moves, and what of it is known."""
    there = given.has[:, [CONDITIONS.index("known"), CONDITIONS.index("retrieved")]]
    free = given.free * there[:, :1] + (1.0 - there[:, :1])
    flags = torch.stack([free, (free == 0.0).to(free.dtype), there[:, 1:].expand_as(free)], dim=-1)
    moved = torch.diff(given.seen, dim=1, append=given.seen[:, -1:]) * 5.0
    return torch.cat([noisy * given.free[..., None], given.seen, moved, flags], dim=-1)


def _waves(level: Tensor) -> Tensor:
    """Sines and cosines [B, 32] of the noise level."""
    hertz = torch.exp(torch.linspace(-2.0, 3.0, 16, device=level.device))
    angle = level[:, None] * hertz
    return torch.cat([torch.sin(angle), torch.cos(angle)], dim=1)
