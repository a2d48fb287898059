"""Where training runs, with a torch that only says what it has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from choreodb.errors import EncoderError
from choreodb.indexer.training import device


@dataclass
class FakeCuda:
    there: bool
    halves: bool

    def is_available(self) -> bool:
        return self.there

    def is_bf16_supported(self) -> bool:
        return self.halves


@dataclass
class FakeTorch:
    there: bool
    halves: bool = True
    bfloat16: str = "bfloat16"
    __version__: str = "2.0"
    asked: list[tuple[str, Any, bool]] = field(default_factory=list)

    @property
    def cuda(self) -> FakeCuda:
        return FakeCuda(self.there, self.halves)

    def autocast(self, name: str, precision: Any, *, enabled: bool) -> None:
        self.asked.append((name, precision, enabled))


@pytest.mark.parametrize(("choice", "there", "halves", "found"), [
    ("auto", True, True, ("cuda", "bfloat16")), ("auto", False, True, ("cpu", None)), ("cpu", True, True, ("cpu", None)),
    ("cuda", True, True, ("cuda", "bfloat16")), ("cuda", True, False, ("cuda", None)),
])  # fmt: skip
def test_a_gpu_is_taken_in_half_precision_where_it_has_it(
    choice: str, there: bool, halves: bool, found: tuple[str, str | None]
) -> None:
    torch = FakeTorch(there, halves)
    picked = device.pick(choice, torch)
    assert (picked.name, picked.precision) == found
    picked.autocast(torch)
    assert torch.asked == [(*found, found[1] is not None)]


def test_a_gpu_that_is_not_there_and_a_device_that_is_none_are_refused() -> None:
    with pytest.raises(EncoderError, match="finds no CUDA device"):
        device.pick("cuda", FakeTorch(False))
    with pytest.raises(EncoderError, match=r"'tpu'.*auto, cpu, cuda"):
        device.pick("tpu", FakeTorch(True))
