"""What the bands of the ballroom styles play: waltz, cha-cha, rumba and salsa."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from choreodb.sample import percussion, soloists, voices
from choreodb.sample.scores import EIGHTHS, MAJOR, MINOR, MIXOLYDIAN, QUARTERS, Band, Voice, each

_WALTZ_BEATS = (0.0, 1.0, 2.0)
_WALTZ_SOFT = each("kick", (0.0,), 0.7) + each("brush", (1.0, 2.0), 0.6) + each("brush", (2.5,), 0.25)

WALTZ_BAND = Band(
    voices={
        "kick": Voice(0.60, 0.0, 0.12, stroke=partial(voices.kick, low_hz=58.0, decay_s=0.12)),
        "snare": Voice(0.32, 0.1, 0.3, stroke=partial(voices.snare, tone_hz=210.0)),
        "brush": Voice(0.55, 0.15, 0.25, stroke=voices.brush),
        "hat": Voice(0.22, 0.25, 0.1, stroke=partial(voices.hat, decay_s=0.05)),
        "triangle": Voice(0.30, 0.35, 0.4, stroke=voices.triangle),
        "tom": Voice(0.40, -0.1, 0.3, stroke=voices.tom),
        "crash": Voice(0.22, -0.2, 0.4, stroke=voices.crash),
        "bass": Voice(0.60, -0.05, 0.12, note=voices.upright_bass),
        "comp": Voice(0.30, -0.2, 0.35, note=voices.piano),
        "pad": Voice(0.34, 0.2, 0.5, note=voices.strings),
        "lead": Voice(0.50, 0.1, 0.5, note=voices.violin),
    },
    scale=MAJOR,
    drums={
        "intro": (each("brush", (1.0, 2.0), 0.4),),
        "verse": (_WALTZ_SOFT, _WALTZ_SOFT + each("hat", (1.0, 2.0), 0.3)),
        "chorus": (_WALTZ_SOFT + each("snare", (1.0, 2.0), 0.45) + each("triangle", (0.0,), 0.5), _WALTZ_SOFT + each("snare", (1.0, 2.0, 2.5), 0.4)),
        "break": (each("brush", (1.0, 2.0), 0.35) + each("triangle", (0.0,), 0.4),),
        "outro": (each("brush", (1.0, 2.0), 0.4) + each("kick", (0.0,), 0.5),),
    },
    fills=(each("snare", (2.0, 2.33, 2.66), 0.45) + each("tom", (1.5,), 0.5),),
    bass=(
        ((0.0, 0.9, 1.0, 0),),
        ((0.0, 0.9, 1.0, 0), (2.0, 0.8, 0.55, 4)),
    ),
    comp=(
        ((1.0, 0.6, 0.9), (2.0, 0.6, 0.8)),
        ((1.0, 0.4, 0.9), (2.0, 0.4, 0.8), (2.5, 0.3, 0.5)),
    ),
    progressions=((0, 5, 3, 4), (0, 3, 4, 0), (0, 2, 3, 4), (5, 1, 4, 0)),
    rhythms=((0.0, 1.0, 2.0), (0.0, 1.5, 2.0), (0.0, 2.0), (0.0, 0.5, 1.0, 2.0)),
    layers={
        "intro": {"comp": 0.7, "bass": 0.6},
        "verse": {"bass": 0.9, "comp": 0.8, "lead": 0.7},
        "chorus": {"bass": 1.0, "comp": 0.9, "pad": 0.8, "lead": 1.0},
        "break": {"comp": 0.6, "pad": 0.5, "bass": 0.6},
        "outro": {"comp": 0.7, "bass": 0.7},
    },
    chord_size=3,
    bass_octave=-1,
    duck=0.0,
    room=0.6,
    room_s=1.6,
    loose_s=0.005,
    metre=3,
)  # fmt: skip

_CHA_TIME = (
    each("bell", QUARTERS, 0.70, 0.0) + each("bell", (0.0, 2.0), 0.25) + each("guiro_long", (0.0, 2.0), 0.8)
    + each("guiro", (1.0, 1.5, 3.0, 3.5), 0.7)
)  # fmt: skip
_CHA_CONGA = (
    each("slap", (1.0,), 0.8) + each("conga", (3.0, 3.5), 0.95) + each("touch", (0.0, 0.5, 1.5, 2.0, 2.5), 0.5) + each("tumba", (2.5,), 0.3)
)  # fmt: skip

CHA_CHA_BAND = Band(
    name="cha-cha",
    voices={
        "bell": Voice(0.42, -0.3, 0.10, stroke=partial(percussion.cowbell, hertz=840.0, decay_s=0.05)),
        "guiro": Voice(0.60, 0.45, 0.10, stroke=percussion.guiro),
        "guiro_long": Voice(0.55, 0.45, 0.10, stroke=partial(percussion.guiro, seconds=0.2)),
        "conga": Voice(0.62, 0.2, 0.12, stroke=percussion.conga),
        "tumba": Voice(0.62, 0.3, 0.12, stroke=partial(percussion.conga, hertz=140.0, decay_s=0.22)),
        "slap": Voice(0.55, 0.2, 0.12, stroke=percussion.slap),
        "touch": Voice(0.26, 0.2, 0.05, stroke=percussion.touch),
        "timbale": Voice(0.42, -0.25, 0.2, stroke=percussion.timbale),
        "timbale_low": Voice(0.46, -0.15, 0.2, stroke=partial(percussion.timbale, hertz=225.0)),
        "kick": Voice(0.45, 0.0, 0.05, stroke=partial(voices.kick, low_hz=58.0, decay_s=0.1)),
        "crash": Voice(0.24, -0.2, 0.3, stroke=voices.crash),
        "bass": Voice(0.45, 0.0, 0.05, note=soloists.baby_bass),
        "comp": Voice(0.34, -0.15, 0.25, note=voices.piano),
        "horns": Voice(0.55, 0.1, 0.3, note=soloists.brass),
        "lead": Voice(0.52, 0.12, 0.38, note=soloists.flute),
    },
    alternatives={"lead": (Voice(0.52, 0.12, 0.35, note=soloists.trumpet), Voice(0.44, 0.12, 0.4, note=voices.violin))},
    scale=MIXOLYDIAN,
    drums={
        "intro": (each("guiro_long", (0.0, 2.0), 0.7) + each("guiro", (1.0, 1.5, 3.0, 3.5), 0.6) + each("conga", (3.0, 3.5), 0.7),),
        "verse": (_CHA_TIME + _CHA_CONGA,),
        "chorus": (_CHA_TIME + _CHA_CONGA + each("kick", (0.0,), 0.7) + each("timbale_low", (3.0, 3.5), 0.4),
                   _CHA_TIME + _CHA_CONGA + each("kick", (0.0,), 0.7) + each("timbale", (1.5, 3.0, 3.5), 0.4)),
        "break": (_CHA_CONGA + each("guiro_long", (0.0, 2.0), 0.5),),
        "outro": (_CHA_TIME + _CHA_CONGA,),
    },
    fills=(
        each("timbale", (2.0, 2.5, 3.0, 3.25, 3.5), 0.8) + each("timbale_low", (2.75, 3.75), 0.8),
        each("timbale_low", (2.5,), 0.8) + each("timbale", (3.0, 3.5), 0.95),
    ),
    bass=(
        ((0.0, 0.9, 1.0, 0), (1.5, 0.4, 0.8, 4), (2.0, 0.8, 0.9, 0), (3.0, 0.4, 0.9, 4), (3.5, 0.4, 0.9, 5)),
        ((0.0, 0.9, 1.0, 0), (1.0, 0.4, 0.7, 2), (1.5, 0.4, 0.8, 4), (3.0, 0.4, 0.9, 4), (3.5, 0.4, 0.9, 2)),
    ),
    comp=(
        ((0.0, 0.3, 0.8), (1.5, 0.3, 0.7), (3.0, 0.25, 0.9), (3.5, 0.25, 1.0)),
        ((1.0, 0.3, 0.8), (1.5, 0.3, 0.8), (3.0, 0.25, 0.9), (3.5, 0.25, 0.9)),
    ),
    riffs={
        "horns": (
            (((3.0, 0.3, 1.0, (0, 2, 4)), (3.5, 0.3, 1.0, (0, 2, 4))), ((0.0, 0.5, 0.9, (0, 2, 4)), (1.5, 0.3, 0.8, (1, 3, 5)))),
            (((0.0, 0.3, 0.9, (2, 4, 6)),), ((2.0, 0.3, 0.8, (2, 4, 6)), (3.0, 0.3, 1.0, (1, 4, 6)), (3.5, 0.3, 1.0, (0, 4, 7)))),
        ),
    },
    progressions=((0, 3, 4, 3), (0, 3, 4, 4), (1, 4, 0, 0), (0, 0, 3, 4)),
    rhythms=((0.0, 0.5, 1.5, 2.0, 3.0, 3.5), (0.0, 1.0, 1.5, 3.0, 3.5), (0.5, 1.0, 2.0, 2.5, 3.5)),
    layers={
        "intro": {"comp": 0.7, "bass": 0.6},
        "verse": {"bass": 1.0, "comp": 0.9, "lead": 0.7},
        "chorus": {"bass": 1.0, "comp": 1.0, "lead": 0.9, "horns": 0.9},
        "break": {"bass": 0.6, "comp": 0.5},
        "outro": {"bass": 0.9, "comp": 0.9},
    },
    chord_size=4,
    bass_octave=-1,
    duck=0.0,
    room=0.45,
    room_s=1.0,
    loose_s=0.006,
    octaves={"horns": 0},
    strokes=("timbale", "timbale_low", "crash"),
    tutti=("horns", "bass"),
)  # fmt: skip

_BOLERO = (
    each("maracas", EIGHTHS, 0.50, 0.22)
    + each("bongo", (0.0, 2.0), 0.75)
    + each("bongo", (0.5, 1.0, 1.5, 2.5, 3.5), 0.35)
    + each("bongo_low", (3.0,), 0.6)
)
_BOLERO_CONGA = each("conga", (3.0, 3.5), 0.75) + each("touch", (0.0, 1.0, 2.0), 0.5) + each("tumba", (1.5,), 0.35)
_CLAVE_THREE, _CLAVE_TWO = each("claves", (0.0, 1.5, 3.0), 0.75), each("claves", (1.0, 2.0), 0.75)

RUMBA_BAND = Band(
    name="bolero-son",
    voices={
        "maracas": Voice(0.44, 0.5, 0.12, stroke=percussion.maracas),
        "claves": Voice(0.48, -0.4, 0.35, stroke=percussion.claves),
        "bongo": Voice(0.42, 0.25, 0.15, stroke=partial(percussion.conga, hertz=420.0, decay_s=0.06)),
        "bongo_low": Voice(0.46, 0.3, 0.15, stroke=partial(percussion.conga, hertz=300.0, decay_s=0.09)),
        "conga": Voice(0.50, -0.2, 0.15, stroke=percussion.conga),
        "tumba": Voice(0.55, -0.25, 0.15, stroke=partial(percussion.conga, hertz=135.0, decay_s=0.22)),
        "touch": Voice(0.24, -0.2, 0.05, stroke=percussion.touch),
        "timbale": Voice(0.36, -0.1, 0.25, stroke=partial(percussion.timbale, hertz=250.0)),
        "swell": Voice(0.20, -0.1, 0.3, stroke=percussion.swell),
        "bass": Voice(0.62, 0.0, 0.08, note=voices.upright_bass),
        "comp": Voice(0.20, -0.3, 0.25, note=soloists.nylon_guitar),
        "guitar": Voice(0.42, -0.3, 0.30, note=soloists.nylon_guitar),
        "pad": Voice(0.28, 0.2, 0.5, note=voices.strings),
        "lead": Voice(0.48, 0.15, 0.42, note=soloists.nylon_guitar),
    },
    alternatives={"lead": (Voice(0.44, 0.15, 0.42, note=soloists.trumpet), Voice(0.42, 0.15, 0.45, note=voices.violin), Voice(0.52, 0.1, 0.45, note=soloists.flute))},
    scale=MINOR,
    drums={
        "intro": (each("maracas", EIGHTHS, 0.4, 0.2) + _CLAVE_THREE, each("maracas", EIGHTHS, 0.4, 0.2) + _CLAVE_TWO),
        "verse": (_BOLERO + _CLAVE_THREE, _BOLERO + _CLAVE_TWO),
        "chorus": (_BOLERO + _BOLERO_CONGA + _CLAVE_THREE, _BOLERO + _BOLERO_CONGA + _CLAVE_TWO),
        "break": (each("maracas", QUARTERS, 0.4) + each("bongo", (0.0, 2.0), 0.4),),
        "outro": (_BOLERO + _CLAVE_THREE, _BOLERO + _CLAVE_TWO),
    },
    fills=(
        each("bongo", (2.0, 2.33, 2.66, 3.0), 0.7) + each("bongo_low", (3.33, 3.66), 0.7),
        each("bongo", (2.5, 2.75, 3.0, 3.25), 0.6) + each("bongo_low", (3.5,), 0.8),
    ),
    bass=(
        ((0.0, 1.8, 1.0, 0), (2.0, 0.9, 0.8, 4), (3.0, 0.9, 0.8, 7)),
        ((0.0, 1.4, 1.0, 0), (1.5, 0.4, 0.6, 4), (2.0, 0.9, 0.8, 4), (3.0, 0.9, 0.8, 2)),
    ),
    comp=(((0.0, 0.9, 0.6), (2.0, 0.9, 0.5)), ((1.0, 0.4, 0.6), (3.0, 0.4, 0.6), (3.5, 0.4, 0.5))),
    riffs={
        "guitar": (
            (tuple((0.5 * k, 0.7, 0.9 if k % 4 == 0 else 0.65, (step,)) for k, step in enumerate((0, 4, 7, 9, 7, 4, 9, 7))),),
            (tuple((0.5 * k, 0.6, 0.9 if k % 4 == 0 else 0.65, (step,)) for k, step in enumerate((0, 4, 9, 7, 4, 7, 9, 4))),
             tuple((0.5 * k, 0.6, 0.9 if k % 4 == 0 else 0.65, (step,)) for k, step in enumerate((2, 4, 7, 9, 11, 9, 7, 4)))),
        ),
    },
    progressions=((0, 6, 5, 4), (0, 3, 4, 0), (0, 5, 3, 4), (3, 6, 2, 5)),
    rhythms=((0.0, 1.5, 2.0, 3.0), (0.5, 1.0, 1.5, 2.5), (0.0, 0.5, 1.0, 2.0), (0.0, 2.0, 3.0, 3.5)),
    layers={
        "intro": {"guitar": 0.9},
        "verse": {"bass": 0.9, "guitar": 0.9, "lead": 0.6},
        "chorus": {"bass": 1.0, "guitar": 0.9, "comp": 0.8, "pad": 0.7, "lead": 1.0},
        "break": {"guitar": 0.7, "pad": 0.4},
        "outro": {"bass": 0.8, "guitar": 0.8, "pad": 0.5},
    },
    chord_size=3,
    bass_octave=-1,
    duck=0.0,
    room=0.6,
    room_s=1.5,
    loose_s=0.008,
    octaves={"guitar": 0},
    strum_s=0.012,
    strokes=("bongo", "timbale", "tumba"),
    tutti=("guitar", "bass"),
    cymbal="swell",
    dynamics=0.35,
)  # fmt: skip

_TUMBAO = each("slap", (1.0,), 0.9) + each("conga", (3.0, 3.5), 1.0) + each("touch", (0.0, 0.5, 1.5, 2.0, 2.5), 0.55)
_TUMBAO_LOW = _TUMBAO + each("tumba", (1.5, 2.0), 0.7)
_MARACAS = each("maracas", EIGHTHS, 0.5, 0.25)
_GUIRO = each("guiro_long", (0.0, 2.0), 0.6) + each("guiro", (1.0, 1.5, 3.0, 3.5), 0.5)
_SHELL_TWO, _SHELL_THREE = each("shell", (0.0, 1.0, 2.0, 2.5, 3.5), 0.8), each("shell", (0.0, 1.0, 1.5, 2.5, 3.5), 0.8)
_BELL = each("bell", (0.0, 2.0), 1.0) + each("bell", (1.0, 3.0), 0.8) + each("bell_high", (1.5, 3.5), 0.6)
_CLAVES_TWO, _CLAVES_THREE = each("claves", (1.0, 2.0), 0.8), each("claves", (0.0, 1.5, 3.0), 0.8)

SALSA_BAND = Band(
    name="salsa in 2-3",
    voices={
        "claves": Voice(0.42, -0.45, 0.3, stroke=percussion.claves),
        "shell": Voice(0.70, -0.3, 0.10, stroke=percussion.shell),
        "bell": Voice(0.62, -0.25, 0.12, stroke=partial(percussion.cowbell, hertz=520.0, decay_s=0.10)),
        "bell_high": Voice(0.42, -0.25, 0.12, stroke=partial(percussion.cowbell, hertz=780.0, decay_s=0.05)),
        "maracas": Voice(0.60, 0.5, 0.10, stroke=percussion.maracas),
        "guiro": Voice(0.50, 0.5, 0.10, stroke=percussion.guiro),
        "guiro_long": Voice(0.45, 0.5, 0.10, stroke=partial(percussion.guiro, seconds=0.15)),
        "conga": Voice(0.60, 0.2, 0.12, stroke=percussion.conga),
        "tumba": Voice(0.60, 0.3, 0.12, stroke=partial(percussion.conga, hertz=140.0, decay_s=0.2)),
        "slap": Voice(0.55, 0.2, 0.12, stroke=percussion.slap),
        "touch": Voice(0.26, 0.2, 0.05, stroke=percussion.touch),
        "timbale": Voice(0.44, -0.25, 0.2, stroke=percussion.timbale),
        "timbale_low": Voice(0.46, -0.15, 0.2, stroke=partial(percussion.timbale, hertz=225.0)),
        "crash": Voice(0.24, -0.2, 0.3, stroke=voices.crash),
        "bass": Voice(0.42, 0.0, 0.04, note=soloists.baby_bass),
        "comp": Voice(0.30, -0.1, 0.2, note=voices.piano),
        "montuno": Voice(0.52, -0.1, 0.22, note=voices.piano),
        "horns": Voice(0.70, 0.15, 0.3, note=soloists.brass),
        "lead": Voice(0.60, 0.1, 0.35, note=soloists.trumpet),
    },
    alternatives={"lead": (Voice(0.50, 0.1, 0.38, note=soloists.flute), Voice(0.50, 0.1, 0.3, note=soloists.brass))},
    scale=MINOR,
    drums={
        "intro": (_CLAVES_TWO + _MARACAS + _TUMBAO, _CLAVES_THREE + _MARACAS + _TUMBAO),
        "verse": (_CLAVES_TWO + _SHELL_TWO + _MARACAS + _TUMBAO, _CLAVES_THREE + _SHELL_THREE + _MARACAS + _TUMBAO_LOW),
        "chorus": (_CLAVES_TWO + _BELL + _GUIRO + _TUMBAO, _CLAVES_THREE + _BELL + _GUIRO + _TUMBAO_LOW),
        "break": (_CLAVES_TWO + _MARACAS, _CLAVES_THREE + _MARACAS),
        "outro": (_CLAVES_TWO + _BELL + _TUMBAO, _CLAVES_THREE + _BELL + _TUMBAO_LOW),
    },
    fills=(
        each("timbale", (2.0, 2.5, 3.0, 3.25, 3.5, 3.75), 0.85),
        each("timbale_low", (1.0, 1.5, 3.0), 0.9) + each("timbale", (2.0, 2.5, 3.5), 0.9),
    ),
    bass=(
        ((1.5, 1.3, 0.95, 4), (3.0, 1.4, 1.0, 0)),
        ((1.5, 0.9, 0.95, 4), (2.5, 0.4, 0.6, 2), (3.0, 1.4, 1.0, 0)),
    ),
    comp=(((0.0, 0.4, 0.8), (2.0, 0.4, 0.7)),),
    riffs={
        "montuno": (
            (((0.0, 0.4, 1.0, (0, 7)), (1.0, 0.4, 0.9, (2, 4)), (1.5, 0.4, 0.9, (0, 7)), (2.5, 0.4, 0.9, (2, 4)), (3.5, 0.4, 1.0, (0, 7))),
             ((0.5, 0.4, 0.9, (2, 4)), (1.5, 0.4, 0.9, (0, 7)), (2.5, 0.4, 0.9, (2, 4)), (3.5, 0.4, 1.0, (0, 7)))),
            (((0.0, 0.4, 1.0, (4, 11)), (1.0, 0.4, 0.9, (7,)), (1.5, 0.4, 0.9, (4, 11)), (2.5, 0.4, 0.9, (5, 12)), (3.0, 0.4, 0.7, (7,)), (3.5, 0.4, 1.0, (4, 11))),
             ((0.5, 0.4, 0.9, (7,)), (1.0, 0.4, 0.7, (2, 9)), (1.5, 0.4, 0.9, (4, 11)), (2.5, 0.4, 0.9, (2, 9)), (3.5, 0.4, 1.0, (4, 11)))),
        ),
        "horns": (
            (((1.0, 0.3, 1.0, (0, 2, 4)), (2.0, 0.3, 1.0, (0, 2, 4))), ((0.0, 0.8, 0.9, (1, 3, 5)), (1.5, 0.3, 0.9, (0, 2, 4)), (3.0, 0.8, 1.0, (2, 4, 7)))),
            (((1.5, 0.3, 0.9, (0, 4, 7)), (2.5, 0.3, 0.9, (0, 4, 7)), (3.5, 2.0, 1.0, (2, 4, 9))), ((2.5, 0.3, 0.8, (2, 4, 7)), (3.5, 0.3, 0.9, (0, 4, 7)))),
        ),
    },
    progressions=((0, 3, 4, 3), (0, 6, 5, 4), (0, 3, 4, 0), (0, 4, 4, 0)),
    rhythms=((0.0, 1.0, 1.5, 2.5, 3.5), (0.5, 1.5, 2.0, 3.0), (1.0, 2.0, 2.5, 3.5), (0.0, 1.5, 3.0)),
    layers={
        "intro": {"montuno": 0.9, "bass": 0.7},
        "verse": {"bass": 1.0, "montuno": 0.8, "lead": 0.8},
        "chorus": {"bass": 1.0, "montuno": 1.0, "horns": 1.0, "lead": 0.5},
        "break": {"montuno": 0.7},
        "outro": {"bass": 1.0, "montuno": 0.9},
    },
    chord_size=3,
    bass_octave=-1,
    duck=0.0,
    room=0.4,
    room_s=0.9,
    loose_s=0.005,
    octaves={"horns": 0},
    anticipate=3.0,
    strokes=("timbale", "timbale_low", "crash"),
    tutti=("horns", "bass"),
)  # fmt: skip


def _other_way(band: Band, name: str) -> Band:
    """`band` with the two bars of its clave exchanged, and with them all that is played in clave."""
    drums = {section: tuple(reversed(bars)) for section, bars in band.drums.items()}
    riffs = {part: tuple(tuple(reversed(figure)) for figure in figures) for part, figures in band.riffs.items()}
    return replace(band, name=name, drums=drums, riffs=riffs)


SALSA_THREE_TWO_BAND = _other_way(SALSA_BAND, "salsa in 3-2")
