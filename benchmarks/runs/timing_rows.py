"""The timing branch as `train encoder` learns it, on every fold's training windows: does it beat the score that needs no training?"""

from __future__ import annotations

import numpy as np

from choreodb.benchmarks.runs.retrieval_rows import Context, Row, Windows
from choreodb.indexer.timing_branch import TimingBranch
from choreodb.indexer.training import timing
from choreodb.indexer.training.config import TimingConfig

LEARN = TimingConfig(steps=300)


def timing_row(name: str, seed: int, config: TimingConfig = LEARN) -> Row:
    """The timing of `search` with the weights of a branch."""
    return Row(name, lambda train: Context(branch=fit(train, seed, config)), fitted=True, trained=True, curves=True)


def fit(train: Windows, seed: int, config: TimingConfig = LEARN) -> TimingBranch:
    """The branch of what may be trained on."""
    from choreodb.benchmarks.runs.trained_rows import takes_within

    return timing.train(takes_within(train), config, np.random.default_rng([seed, 11]))
