"""A guided diffusion model of dance of the usual shape, with random weights, to be timed beside ours in the same run.

Shape: Tseng et al., "EDGE" (CVPR 2023): 8 decoder layers of 512, 5-s windows at 30 frames a second that attend to as many
music tokens, every part scaled and shifted by the time step, 50 steps, each with and without the music. About 49 M numbers.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

LAYERS, WIDTH, HEADS, INNER = 8, 512, 8, 2048
FRAMES, WINDOW_S, CHANNELS, STEPS = 150, 5.0, 151, 50
_TIMED = 2


def cpu_s_for(seconds: float) -> tuple[float, int]:
    """(CPU seconds on one thread to make `seconds` of dance, numbers in the network); a few steps are timed and counted up."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = _network()
        noisy, music, level = torch.randn(2, FRAMES, CHANNELS), torch.randn(2, FRAMES, WIDTH), torch.randn(2, WIDTH)
        with torch.inference_mode():
            # with the music and without it, as one batch
            network(noisy, music, level)
            spent = []
            for _ in range(_TIMED):
                began = time.process_time()
                network(noisy, music, level)
                spent.append(time.process_time() - began)
    torch.set_num_threads(threads)
    windows = int(np.ceil(seconds / WINDOW_S))
    return min(spent) * STEPS * windows, sum(int(each.numel()) for each in network.parameters())


def _network() -> Any:
    import torch
    from torch import nn

    class Layer(nn.Module):
        """Frames attend to one another, then to the music; each part is scaled and shifted by the level of noise."""

        def __init__(self) -> None:
            super().__init__()
            self.own = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
            self.heard = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
            self.inner = nn.Sequential(nn.Linear(WIDTH, INNER), nn.GELU(), nn.Linear(INNER, WIDTH))
            self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(3))
            self.told = nn.ModuleList(nn.Linear(WIDTH, 2 * WIDTH) for _ in range(3))

        def forward(self, x: Any, music: Any, level: Any) -> Any:
            """Frames [B, T, WIDTH] after attending to one another and to the music, at a noise level."""
            for number, norm in enumerate(self.norms):
                at = norm(x)
                if number == 0:
                    out = self.own(at, at, at, need_weights=False)[0]
                elif number == 1:
                    out = self.heard(at, music, music, need_weights=False)[0]
                else:
                    out = self.inner(at)
                scale, shift = self.told[number](level)[:, None].chunk(2, dim=-1)
                x = x + out * (1.0 + scale) + shift
            return x

    class Network(nn.Module):
        """(noisy windows [B, 150, 151], music [B, 150, 512], level [B, 512]) to the clean windows."""

        def __init__(self) -> None:
            super().__init__()
            self.enter, self.leave = nn.Linear(CHANNELS, WIDTH), nn.Linear(WIDTH, CHANNELS)
            self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))

        def forward(self, noisy: Any, music: Any, level: Any) -> Any:
            x = self.enter(noisy)
            for layer in self.layers:
                x = layer(x, music, level)
            return self.leave(x)

    return Network().eval().to(torch.float32)
