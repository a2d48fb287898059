"""Preconditioning: what a network sees and what is made of its answer, so that both are of unit size at every noise level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from choreodb.refiner.denoiser import schedule

Model = Callable[[Any, float], Any]
"""(noisy [B, ...], time) to the clean signal of the same shape."""


def predicts_signal(network: Callable[[Any, float, float], Any]) -> Model:
    """A network (noisy, log signal over noise, time) whose answer is the clean signal itself: x0-prediction.

    The input of a variance-preserving schedule has unit variance already, and the target has it by normalisation, so
    neither is scaled; what the network is told is the level of noise, squashed to a quarter of its logarithm
    (Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models", 2022, table 1).
    """

    def model(noisy: Any, time: float) -> Any:
        return network(noisy, 0.25 * float(schedule.log_snr(time)), time)

    return model


def guided(model: Model, blind: Model, scale: float) -> Model:
    """Classifier-free guidance: `scale` times the way from what `blind` says without conditions to what `model` says.

    1 is the model alone. Source: Ho and Salimans, "Classifier-Free Diffusion Guidance" (2022).
    """
    if scale == 1.0:
        return model

    def both(noisy: Any, time: float) -> Any:
        without = blind(noisy, time)
        return without + scale * (model(noisy, time) - without)

    return both


def keeping(model: Model, known: Any, mask: Any) -> Model:
    """Inpainting: the answer is `known` where `mask` is 1, and the model's where it is 0."""

    def kept(noisy: Any, time: float) -> Any:
        return mask * known + (1.0 - mask) * model(noisy, time)

    return kept
