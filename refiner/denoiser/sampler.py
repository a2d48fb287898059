"""Samplers: one function each over any callable that tells the clean signal from a noisy one.

`model(noisy, time)` gives the clean signal; arrays of numpy and tensors of torch do alike. `times` fall from where
sampling begins to 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from choreodb.refiner.denoiser import schedule
from choreodb.refiner.denoiser.precondition import Model

Told = Callable[[int, Any], None]
"""Called with the step and the clean signal so far."""


def ddim(model: Model, noisy: Any, times: Sequence[float] | Any, *, told: Told | None = None) -> Any:
    """The clean signal by deterministic DDIM: keep the noise that was found, and lower its level.

    Source: Song, Meng and Ermon, "Denoising Diffusion Implicit Models" (2021), eq. 12 with sigma 0.
    """
    clean = noisy
    for step, (now, then) in enumerate(pairwise(times)):
        clean = model(noisy, float(now))
        found = (noisy - float(schedule.signal(now)) * clean) / max(float(schedule.noise(now)), 1e-9)
        noisy = float(schedule.signal(then)) * clean + float(schedule.noise(then)) * found
        if told is not None:
            told(step, clean)
    return clean if float(times[-1]) == 0.0 else noisy


def dpm2(model: Model, noisy: Any, times: Sequence[float] | Any, *, told: Told | None = None) -> Any:
    """The same by DPM-Solver++(2M), which follows the curve of the clean signal from step to step: second order.

    Source: Lu et al., "DPM-Solver++" (2022), algorithm 2.
    """
    clean, before, width_before = noisy, None, 0.0
    for step, (now, then) in enumerate(pairwise(times)):
        clean = model(noisy, float(now))
        if told is not None:
            told(step, clean)
        if float(then) == 0.0:
            return clean
        width = float(schedule.log_snr(then) - schedule.log_snr(now))
        ahead = clean
        if before is not None:
            ratio = width_before / width
            ahead = (1.0 + 0.5 / ratio) * clean - (0.5 / ratio) * before
        shrink = float(schedule.noise(then)) / max(float(schedule.noise(now)), 1e-9)
        noisy = shrink * noisy - float(schedule.signal(then)) * float(np.expm1(-width)) * ahead
        before, width_before = clean, width
    return noisy


SAMPLERS = {"ddim": ddim, "dpm2": dpm2}
