"""Everything that decides a training run, from one TOML file; what it does not say has a default."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from choreodb.errors import EncoderError
from choreodb.indexer.encoders.towers import TowerConfig

WAYS = ("paired", "unpaired", "adapter")


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """How a crop is varied, and by how much at most.

    mirror: chance that left and right change places. warp: share by which tempo changes, both sides together. offset_s:
    between motion and music. pitch: mel bands up or down. eq_db: of a smooth curve over the bands. noise: of the features,
    in their deviations. size: share by which a body grows. forget: chance that a side's beats are unknown.
    """

    mirror: float = 0.5
    warp: float = 0.08
    offset_s: float = 0.2
    pitch: float = 2.0
    eq_db: float = 6.0
    noise: float = 0.1
    size: float = 0.06
    forget: float = 0.2


@dataclass(frozen=True, slots=True)
class TimingConfig:
    """How the timing branch is trained, after the rest. steps: of gradient descent; 0 for no branch, so that timing stays
    as it is without training. rate: of the descent. pull: towards the plain score. most: stretches that are looked at."""

    steps: int = 0
    rate: float = 0.05
    pull: float = 0.02
    most: int = 160

    def __post_init__(self) -> None:
        checks = {
            "steps": 0 <= self.steps <= 100_000,
            "rate": 0.0 < self.rate <= 1.0,
            "pull": 0.0 <= self.pull <= 1.0,
            "most": 2 <= self.most <= 2000,
        }
        wrong = next((name for name, right in checks.items() if not right), None)
        if wrong:
            raise EncoderError(f"timing cannot be trained with {wrong} = {getattr(self, wrong)!r}")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One training run.

    way: paired, unpaired or adapter. steps: at most. batch: crops a step, one a song. rate: highest learning rate. decay:
    weight decay. dropout: of the towers' summaries. ema: weight of the past in the averaged weights. style_positive: weight
    of crops of the same style as positives, 0 for none. balance: 1 where every style weighs the same in a batch, 0 where every
    crop does. hard_negatives: motions of wrong tempo or time a crop. masks:
    whether crops of one origin or with a twin are no negatives. held_out: share of songs to stop by; 0 trains all steps on
    everything. every: steps between looks at them. patience: looks without gain before it stops. seed: of everything random. rounds: of `unpaired`, each
    of which pairs anew by what the one before has learnt, and begins again.
    """

    name: str = "towers"
    way: str = "paired"
    steps: int = 300
    batch: int = 32
    rate: float = 2e-3
    decay: float = 0.05
    dropout: float = 0.2
    ema: float = 0.98
    style_positive: float = 0.3
    balance: float = 1.0
    hard_negatives: int = 1
    masks: bool = True
    held_out: float = 0.15
    every: int = 25
    patience: int = 6
    seed: int = 0
    rounds: int = 3
    tower: TowerConfig = field(default_factory=TowerConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    timing: TimingConfig = field(default_factory=TimingConfig)

    def __post_init__(self) -> None:
        checks = {
            "way": self.way in WAYS,
            "steps": 1 <= self.steps <= 1_000_000,
            "batch": 2 <= self.batch <= 4096,
            "rate": 0.0 < self.rate <= 1.0,
            "dropout": 0.0 <= self.dropout < 1.0,
            "ema": 0.0 <= self.ema < 1.0,
            "style_positive": 0.0 <= self.style_positive <= 1.0,
            "balance": 0.0 <= self.balance <= 1.0,
            "hard_negatives": 0 <= self.hard_negatives <= 8,
            "held_out": 0.0 <= self.held_out <= 0.5,
            "every": self.every >= 1,
            "patience": self.patience >= 1,
            "rounds": 1 <= self.rounds <= 20,
        }
        wrong = next((name for name, right in checks.items() if not right), None)
        if wrong:
            raise EncoderError(f"training cannot be run with {wrong} = {getattr(self, wrong)!r}")
        if self.way == "unpaired" and self.timing.steps > 0:
            raise EncoderError('way = "unpaired" knows no pairs, which [timing] learns from; set its steps to 0')


def read(path: Path) -> TrainConfig:
    """The config in a TOML file; EncoderError for what is not TOML, an unknown key, or a value of the wrong kind."""
    try:
        if path.stat().st_size > 1 << 20:
            raise EncoderError(f"{str(path)!r} is larger than 1 MiB; expected a small TOML file")
        text = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EncoderError(f"{str(path)!r} cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EncoderError(f"{str(path)!r} is not TOML: {' '.join(str(error).split())}") from None
    return built(text, str(path))


def built(values: Mapping[str, Any], source: str) -> TrainConfig:
    """The config of a table; `tower`, `augment` and `timing` are tables in it."""
    return _filled(TrainConfig(), values, source)


def _filled(default: Any, values: Mapping[str, Any], source: str) -> Any:
    known = {each.name for each in fields(default)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise EncoderError(f"{source}: {unknown[0]!r} is no setting; expected one of {', '.join(sorted(known))}")
    changes = {}
    for name, value in values.items():
        now = getattr(default, name)
        if is_dataclass(now):
            if not isinstance(value, Mapping):
                raise EncoderError(f"{source}: {name} = {value!r}; expected a table [{name}]")
            changes[name] = _filled(now, value, source)
        else:
            changes[name] = _of_kind(name, now, value, source)
    return replace(default, **changes)


def _of_kind(name: str, now: Any, value: Any, source: str) -> Any:
    if isinstance(now, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(now):
        raise EncoderError(f"{source}: {name} = {value!r}; expected {type(now).__name__}")
    return value


def as_table(config: TrainConfig) -> dict[str, Any]:
    """The config as JSON, for cards."""
    return asdict(config)
