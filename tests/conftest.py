"""Fixtures that every test may use; the one place that names the folder of real data."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# The suite tries the same examples on every run, so that the same code passes or fails alike; `make test-long` hunts with
# new ones.
settings.register_profile("same", derandomize=True)
settings.register_profile("hunt", derandomize=False, print_blob=True)
settings.load_profile("same")


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of real data sets; skips where it is absent."""
    folder = Path(os.environ.get("CHOREODB_REALDATA", str(ROOT.parent / "shared" / "data")))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set CHOREODB_REALDATA to run this test")
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three minutes of the troupe, every style, with its songs."""
    from choreodb import sample

    folder = tmp_path_factory.mktemp("sample") / "troupe"
    sample.make(folder, minutes=3.0, seed=3)
    return folder


@pytest.fixture(scope="session")
def sample_library(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The troupe, indexed. Do not write to it."""
    from choreodb.indexer.build import index

    library = tmp_path_factory.mktemp("library") / "lib"
    index([sample_folder], library)
    return library


@pytest.fixture(scope="session")
def sample_song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds of the band that the library has not heard."""
    from choreodb import sample

    song = tmp_path_factory.mktemp("song") / "song.flac"
    sample.make_song(song, style="house", seconds=20.0, seed=77)
    return song
