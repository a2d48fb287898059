"""Which bands play each style's songs."""

from __future__ import annotations

from collections.abc import Mapping

from choreodb.errors import QueryError
from choreodb.sample.bands_ballroom import CHA_CHA_BAND, RUMBA_BAND, SALSA_BAND, SALSA_THREE_TWO_BAND, WALTZ_BAND
from choreodb.sample.bands_club import GROOVE_BAND, HOUSE_BAND, LOCKING_BAND, POPPING_BAND
from choreodb.sample.bands_stage import CONTEMPORARY_BAND, HORA_BAND, JIG_BAND, LINE_DANCE_BAND
from choreodb.sample.scores import Band

BANDS: Mapping[str, tuple[Band, ...]] = {
    "house": (HOUSE_BAND,),
    "groove": (GROOVE_BAND,),
    "waltz": (WALTZ_BAND,),
    "popping": (POPPING_BAND,),
    "locking": (LOCKING_BAND,),
    "cha-cha": (CHA_CHA_BAND,),
    "rumba": (RUMBA_BAND,),
    "salsa": (SALSA_BAND, SALSA_THREE_TWO_BAND),
    "contemporary": (CONTEMPORARY_BAND,),
    "line-dance": (HORA_BAND, JIG_BAND, LINE_DANCE_BAND),
}


def bands_of(style: str) -> tuple[Band, ...]:
    """The bands that play songs of `style`, one to be drawn; QueryError where nobody does."""
    if style not in BANDS:
        raise QueryError(f"no band plays {style!r}; they play {', '.join(BANDS)}")
    return BANDS[style]


def band_of(style: str, name: str) -> Band:
    """The band `name` of `style`, which a song's truth states."""
    return next((band for band in bands_of(style) if band.name == name), bands_of(style)[0])
