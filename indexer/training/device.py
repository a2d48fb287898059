"""Where training runs: on a GPU in half precision where there is one, else on one thread of the processor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from choreodb.errors import EncoderError

CHOICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class Device:
    """name: as torch has it. precision: torch's type of what is multiplied, None for single precision throughout."""

    name: str
    precision: Any = None

    def autocast(self, torch: Any) -> Any:
        """The context of a forward pass; weights, their averages and the loss stay in single precision."""
        return torch.autocast(self.name, self.precision, enabled=self.precision is not None)


def pick(choice: str, torch: Any) -> Device:
    """The device of `auto`, `cpu` or `cuda`; bfloat16 on a GPU that computes it, single precision on others.

    EncoderError for another choice, or where CUDA is asked for and this torch finds none.
    """
    if choice not in CHOICES:
        raise EncoderError(f"--device {choice!r}: expected {', '.join(CHOICES)}")
    there = bool(torch.cuda.is_available())
    if choice == "cuda" and not there:
        raise EncoderError(
            f"--device cuda: torch {torch.__version__} finds no CUDA device; leave --device away to train on the processor"
        )
    if choice == "cpu" or not there:
        return Device("cpu")
    return Device("cuda", torch.bfloat16 if torch.cuda.is_bf16_supported() else None)
