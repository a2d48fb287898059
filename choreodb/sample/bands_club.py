"""What the bands of the club styles play: house, groove, popping and locking."""

from __future__ import annotations

from functools import partial

from choreodb.sample import percussion, soloists, voices
from choreodb.sample.scores import EIGHTHS, MINOR, MIXOLYDIAN, OFFS, QUARTERS, SIXTEENTHS, Band, Voice, each

_HOUSE_BEAT = each("kick", QUARTERS, 1.0) + each("open_hat", OFFS, 0.5) + each("clap", (1.0, 3.0), 0.8)
_HOUSE_FULL = _HOUSE_BEAT + each("hat", SIXTEENTHS, 0.22, 0.1) + each("shaker", SIXTEENTHS, 0.25)

HOUSE_BAND = Band(
    voices={
        "kick": Voice(0.95, 0.0, 0.02, stroke=voices.kick),
        "clap": Voice(0.50, 0.05, 0.35, stroke=voices.clap),
        "snare": Voice(0.45, 0.0, 0.25, stroke=voices.snare),
        "hat": Voice(0.30, 0.25, 0.08, stroke=voices.hat),
        "open_hat": Voice(0.34, 0.2, 0.10, stroke=partial(voices.hat, decay_s=0.09)),
        "shaker": Voice(0.30, -0.4, 0.10, stroke=voices.shaker),
        "crash": Voice(0.34, -0.2, 0.3, stroke=voices.crash),
        "bass": Voice(0.40, 0.0, 0.03, note=voices.synth_bass),
        "comp": Voice(0.26, -0.15, 0.30, note=voices.piano),
        "pad": Voice(0.30, 0.1, 0.45, note=voices.strings),
        "lead": Voice(0.32, 0.2, 0.45, note=voices.pluck),
    },
    scale=MINOR,
    drums={
        "intro": (each("kick", QUARTERS, 0.9) + each("hat", OFFS, 0.5),),
        "verse": (_HOUSE_BEAT, _HOUSE_BEAT + each("snare", (3.75,), 0.3)),
        "chorus": (_HOUSE_FULL, _HOUSE_FULL + each("snare", (1.75, 3.25), 0.25)),
        "break": (each("hat", EIGHTHS, 0.3, 0.25) + each("clap", (3.0,), 0.35),),
        "outro": (each("kick", QUARTERS, 0.9) + each("hat", OFFS, 0.4),),
    },
    fills=(each("kick", (2.0, 3.0), 0.9) + tuple(("snare", 2.0 + 0.25 * k, 0.3 + 0.08 * k) for k in range(8)),),
    bass=(
        ((0.5, 0.4, 0.9, 0), (1.5, 0.4, 0.9, 0), (2.5, 0.4, 0.9, 0), (3.25, 0.2, 0.7, 2), (3.5, 0.4, 0.9, 4)),
        (
            (0.0, 0.4, 0.9, 0),
            (0.75, 0.3, 0.8, 0),
            (1.5, 0.4, 0.9, 7),
            (2.0, 0.4, 0.9, 0),
            (2.75, 0.3, 0.8, 0),
            (3.5, 0.4, 0.9, 4),
        ),
    ),
    comp=(
        ((0.0, 0.3, 0.9), (0.75, 0.3, 0.8), (1.5, 0.5, 0.9), (2.5, 0.3, 0.8), (3.25, 0.4, 0.8)),
        ((0.5, 0.3, 0.9), (1.25, 0.3, 0.8), (2.0, 0.4, 0.9), (2.75, 0.6, 0.8)),
    ),
    progressions=((0, 5, 2, 6), (0, 3, 5, 4), (0, 2, 3, 6), (5, 6, 0, 0)),
    rhythms=((0.0, 0.75, 1.5, 2.0, 2.75, 3.5), (0.5, 1.0, 1.75, 2.5, 3.0), (0.0, 0.5, 1.5, 2.5, 3.25)),
    layers={
        "intro": {"pad": 0.4},
        "verse": {"bass": 0.9, "comp": 0.7},
        "chorus": {"bass": 1.0, "comp": 1.0, "pad": 0.5, "lead": 0.9},
        "break": {"pad": 0.9, "lead": 0.5},
        "outro": {"pad": 0.5, "bass": 0.6},
    },
    chord_size=4,
    bass_octave=-1,
    duck=0.6,
    room=0.5,
    room_s=1.1,
    loose_s=0.003,
)

_GROOVE_A = (
    each("kick", (0.0, 2.5), 1.0)
    + each("kick", (1.75,), 0.55)
    + each("snare", (1.0, 3.0), 0.9)
    + each("hat", EIGHTHS, 0.35, 0.4)
)
_GROOVE_B = (
    each("kick", (0.0, 0.75, 2.5, 3.75), 0.95) + each("snare", (1.0, 3.0), 0.9) + each("hat", EIGHTHS, 0.35, 0.4)
)

GROOVE_BAND = Band(
    voices={
        "kick": Voice(1.0, 0.0, 0.03, stroke=partial(voices.kick, low_hz=43.0, decay_s=0.22)),
        "snare": Voice(0.62, 0.0, 0.22, stroke=partial(voices.snare, tone_hz=178.0, decay_s=0.11)),
        "clap": Voice(0.40, 0.1, 0.3, stroke=voices.clap),
        "hat": Voice(0.32, 0.3, 0.06, stroke=voices.hat),
        "open_hat": Voice(0.30, 0.3, 0.08, stroke=partial(voices.hat, decay_s=0.11)),
        "shaker": Voice(0.26, -0.4, 0.1, stroke=voices.shaker),
        "crash": Voice(0.30, -0.2, 0.3, stroke=voices.crash),
        "bass": Voice(0.52, 0.0, 0.02, note=voices.deep_bass),
        "comp": Voice(0.38, -0.2, 0.30, note=voices.electric_piano),
        "pad": Voice(0.32, 0.15, 0.4, note=voices.strings),
        "lead": Voice(0.38, 0.15, 0.40, note=voices.whistle),
    },
    scale=MINOR,
    drums={
        "intro": (each("hat", EIGHTHS, 0.3, 0.4) + each("kick", (0.0, 2.5), 0.8) + each("snare", (1.0, 3.0), 0.5),),
        "verse": (_GROOVE_A, _GROOVE_B),
        "chorus": (
            _GROOVE_A + each("clap", (1.0, 3.0), 0.8) + each("shaker", SIXTEENTHS, 0.3),
            _GROOVE_B + each("clap", (1.0, 3.0), 0.8) + each("open_hat", (3.5,), 0.5),
        ),
        "break": (each("hat", QUARTERS, 0.7) + each("snare", (3.0,), 0.45) + each("kick", (0.0,), 0.7),),
        "outro": (each("hat", EIGHTHS, 0.4, 0.2) + each("kick", (0.0, 2.5), 0.8),),
    },
    fills=(each("kick", (2.0, 2.5), 0.9) + each("snare", (2.75, 3.0, 3.25, 3.5, 3.75), 0.7),),
    bass=(
        ((0.0, 0.7, 1.0, 0), (1.5, 0.4, 0.7, 0), (1.75, 0.6, 0.9, 2), (2.5, 0.9, 1.0, 4), (3.5, 0.4, 0.7, 7)),
        ((0.0, 1.2, 1.0, 0), (1.75, 0.5, 0.8, 0), (2.5, 0.5, 0.9, -1), (3.0, 0.4, 0.7, 0), (3.5, 0.4, 0.8, 4)),
    ),
    comp=(
        ((0.0, 1.4, 0.9), (2.5, 0.9, 0.8)),
        ((0.5, 0.4, 0.8), (1.5, 0.9, 0.9), (3.0, 0.4, 0.7)),
    ),
    progressions=((0, 3), (0, 5, 3, 4), (0, 6, 5, 4), (3, 0)),
    rhythms=((0.0, 0.5, 1.5, 2.0, 3.0), (0.5, 1.0, 1.5, 2.5), (0.0, 1.0, 1.5, 2.5, 3.5)),
    layers={
        "intro": {"comp": 0.6},
        "verse": {"bass": 0.9, "comp": 0.8},
        "chorus": {"bass": 1.0, "comp": 0.9, "pad": 0.6, "lead": 0.9},
        "break": {"comp": 0.7, "pad": 0.5},
        "outro": {"comp": 0.7, "bass": 0.6},
    },
    chord_size=4,
    bass_octave=-1,
    duck=0.25,
    room=0.4,
    room_s=0.8,
    loose_s=0.006,
)

_FUNK = each("kick", (0.0, 1.5, 2.0), 1.0) + each("snare", (1.0, 3.0), 0.95) + each("hat", SIXTEENTHS, 0.25, 0.15)
_FUNK_B = each("kick", (0.0, 0.75, 2.5), 1.0) + each("snare", (1.0, 3.0), 0.95) + each("hat", SIXTEENTHS, 0.25, 0.15)

POPPING_BAND = Band(
    voices={
        "kick": Voice(0.95, 0.0, 0.02, stroke=partial(voices.kick, low_hz=52.0, decay_s=0.11)),
        "snare": Voice(0.66, 0.0, 0.30, stroke=partial(voices.snare, tone_hz=230.0, decay_s=0.07)),
        "clap": Voice(0.50, 0.1, 0.35, stroke=voices.clap),
        "hat": Voice(0.34, 0.3, 0.05, stroke=partial(voices.hat, decay_s=0.018)),
        "cowbell": Voice(0.34, -0.3, 0.15, stroke=partial(voices.tom, hertz=560.0)),
        "tom": Voice(0.45, -0.25, 0.2, stroke=partial(voices.tom, hertz=150.0)),
        "crash": Voice(0.28, -0.2, 0.3, stroke=voices.crash),
        "bass": Voice(0.55, 0.0, 0.02, note=voices.synth_bass),
        "comp": Voice(0.36, -0.2, 0.25, note=voices.pluck),
        "pad": Voice(0.46, 0.15, 0.4, note=voices.strings),
        "lead": Voice(0.42, 0.2, 0.30, note=voices.square_lead),
    },
    scale=MINOR,
    drums={
        "intro": (each("kick", (0.0, 2.0), 0.9) + each("clap", (1.0, 3.0), 0.7),),
        "verse": (_FUNK, _FUNK_B),
        "chorus": (
            _FUNK + each("clap", (1.0, 3.0), 0.9) + each("cowbell", (0.5, 1.5, 2.5, 3.0), 0.5),
            _FUNK_B + each("clap", (1.0, 3.0, 3.5), 0.8) + each("cowbell", (0.5, 1.5, 2.5, 3.0), 0.5),
        ),
        "break": (each("hat", EIGHTHS, 0.3, 0.2) + each("clap", (3.0,), 0.6) + each("kick", (0.0,), 0.6),),
        "outro": (each("kick", (0.0, 2.0), 0.9) + each("clap", (1.0, 3.0), 0.6) + each("hat", EIGHTHS, 0.3),),
    },
    fills=(each("tom", (2.0, 2.25, 2.5, 3.0, 3.25), 0.8) + each("snare", (2.75, 3.5, 3.75), 0.7),),
    bass=(
        ((0.0, 0.2, 1.0, 0), (0.75, 0.2, 0.8, 0), (1.5, 0.2, 0.9, 7), (2.0, 0.2, 1.0, 0), (2.75, 0.2, 0.8, 3), (3.5, 0.3, 0.9, 4)),
        ((0.0, 0.3, 1.0, 0), (0.5, 0.2, 0.7, 7), (1.25, 0.2, 0.8, 0), (2.0, 0.3, 1.0, 0), (2.5, 0.2, 0.7, 7), (3.25, 0.4, 0.9, 6)),
    ),
    comp=(
        ((0.5, 0.15, 0.8), (1.5, 0.15, 0.9), (2.5, 0.15, 0.8), (3.5, 0.15, 0.8)),
        ((1.0, 0.2, 0.9), (1.75, 0.15, 0.7), (3.0, 0.2, 0.9)),
    ),
    progressions=((0, 0, 3, 4), (0, 5, 6, 0), (0, 6), (0, 3, 6, 0)),
    rhythms=((0.0, 0.25, 0.75, 1.5, 2.5, 3.0), (0.5, 0.75, 1.5, 2.0, 2.75), (0.0, 0.75, 1.5, 2.25, 3.0)),
    layers={
        "intro": {"bass": 0.7, "pad": 0.5},
        "verse": {"bass": 1.0, "comp": 0.8, "pad": 0.5},
        "chorus": {"bass": 1.0, "comp": 0.9, "pad": 0.7, "lead": 1.0},
        "break": {"pad": 0.6, "comp": 0.6},
        "outro": {"bass": 0.7, "comp": 0.5},
    },
    chord_size=3,
    bass_octave=-1,
    duck=0.1,
    room=0.45,
    room_s=0.8,
    loose_s=0.003,
)  # fmt: skip

_LOCK_HATS = each("hat", SIXTEENTHS, 0.30, 0.22)
_LOCK_A = (
    each("kick", (0.0, 2.0), 1.0)
    + each("kick", (0.5, 2.5), 0.6)
    + each("snare", (1.0, 3.0), 0.95)
    + each("snare", (1.75, 2.25, 3.75), 0.22)
    + _LOCK_HATS
)
_LOCK_B = (
    each("kick", (0.0, 2.0), 1.0) + each("kick", (0.75, 2.5), 0.6) + each("snare", (1.0, 3.0), 0.95) + each("snare", (1.75, 2.75), 0.22)
    + each("hat", SIXTEENTHS[:14], 0.30, 0.22) + each("open_hat", (3.5,), 0.6)
)  # fmt: skip

LOCKING_BAND = Band(
    name="funk",
    voices={
        "kick": Voice(0.95, 0.0, 0.03, stroke=partial(voices.kick, low_hz=60.0, decay_s=0.09)),
        "snare": Voice(0.70, 0.0, 0.22, stroke=partial(voices.snare, tone_hz=215.0, decay_s=0.09)),
        "clap": Voice(0.40, 0.1, 0.3, stroke=voices.clap),
        "hat": Voice(0.44, 0.3, 0.05, stroke=partial(voices.hat, decay_s=0.022)),
        "open_hat": Voice(0.36, 0.3, 0.07, stroke=partial(voices.hat, decay_s=0.12)),
        "tambourine": Voice(0.28, -0.45, 0.12, stroke=voices.shaker),
        "conga": Voice(0.34, -0.35, 0.12, stroke=percussion.conga),
        "tom": Voice(0.48, -0.25, 0.2, stroke=partial(voices.tom, hertz=130.0)),
        "crash": Voice(0.30, -0.2, 0.3, stroke=voices.crash),
        "bass": Voice(0.55, 0.0, 0.02, note=soloists.slap_bass),
        "comp": Voice(0.34, -0.3, 0.14, note=soloists.clavinet),
        "chank": Voice(0.48, 0.4, 0.12, note=soloists.chank),
        "horns": Voice(0.80, 0.12, 0.25, note=soloists.brass),
        "lead": Voice(0.38, 0.15, 0.30, note=soloists.organ),
    },
    alternatives={"lead": (Voice(0.55, 0.15, 0.30, note=soloists.trumpet),)},
    scale=MIXOLYDIAN,
    drums={
        "intro": (_LOCK_HATS + each("kick", (0.0, 2.5), 0.9) + each("snare", (3.0,), 0.6),),
        "verse": (_LOCK_A, _LOCK_B),
        "chorus": (
            _LOCK_A + each("tambourine", EIGHTHS, 0.6, 0.2) + each("conga", (0.5, 1.5, 2.5, 3.0, 3.5), 0.6),
            _LOCK_B + each("tambourine", EIGHTHS, 0.6, 0.2) + each("clap", (1.0, 3.0), 0.7) + each("conga", (0.5, 1.5, 2.5, 3.5), 0.6),
        ),
        "break": (each("hat", EIGHTHS, 0.35, 0.2) + each("conga", (0.0, 0.5, 1.5, 2.0, 3.0, 3.5), 0.7) + each("kick", (0.0,), 0.8),),
        "outro": (_LOCK_A,),
    },
    fills=(
        each("snare", (2.0, 2.25, 2.75, 3.0, 3.5, 3.75), 0.75) + each("kick", (2.0, 3.0), 0.9),
        each("tom", (3.0, 3.25, 3.5, 3.75), 0.85) + each("snare", (2.0, 2.5, 2.75), 0.8),
    ),
    bass=(
        ((0.0, 0.4, 1.0, 0), (0.75, 0.15, 0.5, 7), (1.0, 0.2, 0.8, 0), (1.75, 0.15, 0.5, 7), (2.0, 0.3, 0.9, 4), (2.75, 0.15, 0.5, 5), (3.0, 0.2, 0.8, 6), (3.5, 0.3, 0.7, 7)),
        ((0.0, 0.6, 1.0, 0), (1.0, 0.2, 0.8, 7), (1.5, 0.2, 0.5, 6), (2.0, 0.2, 0.9, 0), (2.75, 0.2, 0.5, 4), (3.0, 0.2, 0.8, 6), (3.5, 0.3, 0.6, 7)),
        ((0.0, 0.3, 1.0, 0), (0.5, 0.15, 0.5, 0), (1.0, 0.15, 0.8, 7), (1.75, 0.2, 0.5, 2), (2.0, 0.3, 0.9, 3), (2.5, 0.15, 0.5, 4), (3.0, 0.2, 0.8, 4), (3.75, 0.2, 0.6, 6)),
    ),
    comp=(
        ((0.25, 0.15, 0.6), (0.5, 0.15, 0.8), (1.5, 0.2, 0.8), (2.25, 0.15, 0.6), (2.5, 0.15, 0.8), (3.5, 0.2, 0.8)),
        ((0.5, 0.15, 0.8), (0.75, 0.15, 0.6), (1.5, 0.2, 0.8), (2.5, 0.15, 0.8), (3.25, 0.2, 0.6)),
    ),
    riffs={
        "chank": (
            (tuple((0.25 * k, 0.12, 0.9 if k % 4 == 2 else 0.4, (7, 9)) for k in range(16)),),
            (((1.0, 0.15, 0.9, (7, 9, 11)), (3.0, 0.15, 0.9, (7, 9, 11)), (3.75, 0.12, 0.5, (7, 9))),),
        ),
        "horns": (
            (((0.0, 0.25, 1.0, (0, 2, 6)), (1.0, 0.25, 0.9, (0, 2, 6))), ((1.5, 0.2, 0.8, (0, 2, 4)), (2.0, 0.2, 0.9, (1, 3, 6)), (2.5, 0.9, 1.0, (0, 2, 6)))),
            (((2.5, 0.2, 0.9, (0, 4, 6)), (3.0, 0.2, 0.9, (0, 4, 6)), (3.5, 0.3, 1.0, (2, 4, 7))), ((0.0, 1.2, 0.9, (2, 4, 6)),)),
        ),
    },
    progressions=((0, 0, 0, 0), (0, 0, 3, 3), (0, 0, 0, 4), (1, 4, 0, 0)),
    rhythms=((0.0, 0.5, 0.75, 1.5, 2.5), (0.75, 1.5, 2.0, 2.75, 3.5), (0.5, 1.0, 1.75, 3.0)),
    layers={
        "intro": {"bass": 0.7, "chank": 0.6},
        "verse": {"bass": 1.0, "comp": 0.8, "chank": 0.7},
        "chorus": {"bass": 1.0, "comp": 0.9, "chank": 0.8, "horns": 1.0, "lead": 0.6},
        "break": {"bass": 0.6, "chank": 0.6},
        "outro": {"bass": 0.9, "comp": 0.7},
    },
    chord_size=4,
    bass_octave=-1,
    duck=0.05,
    room=0.35,
    room_s=0.7,
    loose_s=0.004,
    octaves={"horns": 0, "chank": 0, "lead": 1},
    tutti=("horns", "bass"),
)  # fmt: skip
