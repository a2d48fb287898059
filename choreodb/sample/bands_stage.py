"""What the bands of the other styles play: contemporary, and the line dance's two-step and jig."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from choreodb.sample import percussion, soloists, voices
from choreodb.sample.scores import EIGHTHS, MAJOR, MINOR, OFFS, QUARTERS, SIXTEENTHS, Band, RiffBar, Voice, each


def _rolled(steps: tuple[int, ...], beats: float, loud: float) -> RiffBar:
    """One note after the other at equal distances, the first of each half a little louder."""
    every = 4.0 / len(steps)
    return tuple(
        (k * every, beats, loud * (1.0 if k % (len(steps) // 2) == 0 else 0.72), (step,))
        for k, step in enumerate(steps)
    )


CONTEMPORARY_BAND = Band(
    name="slow pulse",
    voices={
        "drum": Voice(0.80, 0.0, 0.30, stroke=percussion.deep_drum),
        "rim": Voice(0.26, 0.3, 0.5, stroke=percussion.claves),
        "shaker": Voice(0.20, -0.45, 0.25, stroke=voices.shaker),
        "brush": Voice(0.34, 0.2, 0.4, stroke=voices.brush),
        "swell": Voice(0.34, -0.2, 0.5, stroke=percussion.swell),
        "bass": Voice(0.55, 0.0, 0.15, note=soloists.cello),
        "comp": Voice(0.34, -0.1, 0.5, note=soloists.soft_piano),
        "piano": Voice(0.60, -0.1, 0.55, note=soloists.soft_piano),
        "pad": Voice(0.34, 0.1, 0.6, note=soloists.air),
        "strings": Voice(0.34, 0.25, 0.6, note=voices.strings),
        "lead": Voice(0.50, 0.1, 0.6, note=soloists.cello),
    },
    alternatives={"lead": (Voice(0.40, 0.1, 0.6, note=voices.violin), Voice(0.46, 0.1, 0.6, note=soloists.flute))},
    scale=MINOR,
    drums={
        "intro": ((),),
        "verse": (each("drum", (0.0,), 0.6), each("drum", (0.0, 2.5), 0.5)),
        "chorus": (
            each("drum", (0.0, 2.0), 0.9) + each("drum", (1.5,), 0.5) + each("rim", (3.0,), 0.5) + each("shaker", EIGHTHS, 0.4, 0.2),
            each("drum", (0.0, 2.5), 0.9) + each("rim", (1.0, 3.0), 0.5) + each("shaker", EIGHTHS, 0.4, 0.2),
        ),
        "break": ((),),
        "outro": (each("drum", (0.0,), 0.4),),
    },
    fills=(each("drum", (2.0, 3.0, 3.5), 0.7), each("brush", (2.0, 2.5, 3.0, 3.5), 0.6)),
    bass=(((0.0, 3.8, 0.9, 0),), ((0.0, 1.9, 0.9, 0), (2.0, 1.9, 0.8, 4))),
    comp=(((0.0, 1.8, 0.7), (2.0, 1.8, 0.5)), ((0.0, 3.5, 0.7),)),
    riffs={
        "piano": (
            (_rolled((0, 4, 7, 9, 11, 9, 7, 4), 1.0, 0.9),),
            (_rolled((0, 4, 9, 7), 1.6, 0.9), _rolled((2, 4, 7, 11), 1.6, 0.9)),
            (_rolled((7, 4, 9, 4, 11, 4, 9, 4), 0.8, 0.9),),
        ),
        "strings": ((((0.0, 3.9, 0.8, (4, 9)),), ((0.0, 3.9, 0.8, (5, 9)),)), (((0.0, 1.9, 0.8, (2, 7)), (2.0, 1.9, 0.9, (4, 9))),)),
    },
    progressions=((0, 5, 2, 6), (0, 2, 5, 3), (5, 6, 0, 0), (0, 6, 5, 5)),
    rhythms=((0.0, 2.0, 3.0), (1.0, 2.0), (0.0, 1.5, 3.0), (0.5, 1.0, 2.5)),
    layers={
        "intro": {"piano": 0.7, "pad": 0.5},
        "verse": {"piano": 0.9, "pad": 0.6, "bass": 0.6},
        "chorus": {"piano": 1.0, "pad": 0.8, "strings": 1.0, "bass": 1.0, "lead": 1.0, "comp": 0.7},
        "break": {"pad": 0.7, "piano": 0.45},
        "outro": {"piano": 0.6, "pad": 0.6, "bass": 0.5},
    },
    chord_size=4,
    bass_octave=-1,
    duck=0.0,
    room=0.9,
    room_s=2.6,
    loose_s=0.010,
    octaves={"piano": 0, "strings": 1, "lead": 0},
    strum_s=0.018,
    dynamics=0.9,
    rubato=0.10,
    strokes=("drum", "swell"),
    tutti=("comp", "bass"),
    cymbal="swell",
)  # fmt: skip

_TRAIN = each("brush", SIXTEENTHS, 0.22) + each("brush", OFFS, 0.45) + each("kick", (0.0, 2.0), 0.8)
_BOOTS = each("stomp", (0.0, 2.0), 0.5) + each("clap", (1.0, 3.0), 0.5)

LINE_DANCE_BAND = Band(
    name="two-step",
    voices={
        "kick": Voice(0.65, 0.0, 0.05, stroke=partial(voices.kick, low_hz=60.0, decay_s=0.10)),
        "snare": Voice(0.42, 0.05, 0.2, stroke=partial(voices.snare, tone_hz=200.0, decay_s=0.07)),
        "brush": Voice(0.65, 0.1, 0.12, stroke=voices.brush),
        "stomp": Voice(0.60, -0.1, 0.15, stroke=percussion.stomp),
        "clap": Voice(0.40, 0.0, 0.3, stroke=voices.clap),
        "spoons": Voice(0.40, 0.45, 0.15, stroke=percussion.spoons),
        "crash": Voice(0.20, -0.2, 0.3, stroke=voices.crash),
        "bass": Voice(0.55, 0.0, 0.05, note=voices.upright_bass),
        "comp": Voice(0.30, -0.3, 0.15, note=soloists.steel_guitar),
        "banjo": Voice(0.45, 0.4, 0.15, note=soloists.banjo),
        "pad": Voice(0.22, 0.15, 0.3, note=soloists.accordion),
        "lead": Voice(0.66, 0.1, 0.3, note=soloists.fiddle),
    },
    alternatives={"lead": (Voice(0.44, 0.1, 0.25, note=soloists.steel_guitar),)},
    scale=MAJOR,
    drums={
        "intro": (each("stomp", (0.0, 2.0), 0.8) + each("clap", (1.0, 3.0), 0.6),),
        "verse": (_TRAIN + each("snare", (1.0, 3.0), 0.4),),
        "chorus": (_TRAIN + _BOOTS + each("snare", (1.0, 3.0), 0.7), _TRAIN + _BOOTS + each("snare", (1.0, 3.0, 3.5), 0.7) + each("spoons", OFFS, 0.6)),
        "break": (each("stomp", (0.0, 2.0), 0.7) + each("clap", (1.0, 3.0), 0.45),),
        "outro": (_TRAIN,),
    },
    fills=(each("snare", (2.0, 2.5, 2.75, 3.0, 3.5), 0.7) + each("kick", (2.0, 3.0), 0.8), each("snare", (3.0, 3.25, 3.5, 3.75), 0.7) + each("kick", (2.0,), 0.8)),
    bass=(
        ((0.0, 0.9, 1.0, 0), (2.0, 0.9, 0.9, 4)),
        ((0.0, 0.9, 1.0, 0), (2.0, 0.9, 0.9, 4), (3.0, 0.8, 0.7, 5)),
    ),
    comp=(((1.0, 0.3, 0.9), (3.0, 0.3, 0.9)), ((1.0, 0.3, 0.9), (1.5, 0.2, 0.5), (3.0, 0.3, 0.9), (3.5, 0.2, 0.5))),
    riffs={
        "banjo": (
            (_rolled((7, 9, 11, 7, 9, 11, 7, 11), 0.4, 0.8),),
            (_rolled((11, 9, 7, 11, 9, 7, 11, 9), 0.4, 0.8), _rolled((7, 11, 9, 7, 11, 9, 7, 4), 0.4, 0.8)),
        ),
    },
    progressions=((0, 3, 4, 0), (0, 0, 3, 4), (0, 4, 3, 0), (0, 5, 3, 4)),
    rhythms=((0.0, 0.5, 1.0, 1.5, 2.0, 3.0), (0.0, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5), (0.0, 0.25, 0.5, 1.0, 2.0, 2.5, 3.0), (0.5, 1.0, 2.0, 2.5, 3.0)),
    layers={
        "intro": {"banjo": 0.9, "comp": 0.6},
        "verse": {"bass": 1.0, "comp": 0.9, "lead": 0.7},
        "chorus": {"bass": 1.0, "comp": 1.0, "banjo": 0.9, "lead": 1.0, "pad": 0.5},
        "break": {"banjo": 0.7, "comp": 0.4},
        "outro": {"bass": 0.9, "comp": 0.9, "banjo": 0.7},
    },
    chord_size=3,
    bass_octave=-1,
    duck=0.0,
    room=0.4,
    room_s=0.8,
    loose_s=0.006,
    octaves={"banjo": 0, "lead": 1},
    strum_s=0.009,
    strokes=("stomp", "snare", "clap"),
    tutti=("comp", "bass"),
)  # fmt: skip

# With a swing of 1 a beat has three parts, and 0.25, 0.5 are its second and third.
_THIRDS = tuple(beat + part for beat in QUARTERS for part in (0.0, 0.25, 0.5))
_JIG = (
    each("bodhran", QUARTERS, 0.85)
    + each("bodhran_high", _THIRDS, 0.28)
    + each("spoons", tuple(beat + 0.5 for beat in QUARTERS), 0.4)
)

JIG_BAND = Band(
    name="jig",
    voices={
        "bodhran": Voice(0.85, 0.0, 0.12, stroke=percussion.bodhran),
        "bodhran_high": Voice(0.55, 0.1, 0.12, stroke=partial(percussion.bodhran, hertz=150.0)),
        "spoons": Voice(0.30, 0.45, 0.15, stroke=percussion.spoons),
        "stomp": Voice(0.60, -0.1, 0.15, stroke=percussion.stomp),
        "clap": Voice(0.40, 0.0, 0.3, stroke=voices.clap),
        "crash": Voice(0.16, -0.2, 0.3, stroke=voices.crash),
        "bass": Voice(0.62, 0.0, 0.05, note=voices.upright_bass),
        "comp": Voice(0.30, -0.3, 0.18, note=soloists.steel_guitar),
        "pad": Voice(0.30, 0.3, 0.3, note=soloists.accordion),
        "lead": Voice(0.58, 0.1, 0.32, note=soloists.fiddle),
        "flute": Voice(0.46, -0.15, 0.35, note=soloists.flute),
    },
    alternatives={"lead": (Voice(0.55, 0.1, 0.35, note=soloists.flute), Voice(0.42, 0.1, 0.3, note=soloists.accordion))},
    scale=MAJOR,
    drums={
        "intro": (each("bodhran", (0.0, 2.0), 0.8),),
        "verse": (_JIG,),
        "chorus": (_JIG + each("stomp", (0.0, 2.0), 0.6) + each("clap", (1.0, 3.0), 0.5),),
        "break": (each("stomp", (0.0, 2.0), 0.6) + each("clap", (1.0, 3.0), 0.4),),
        "outro": (_JIG,),
    },
    fills=(each("bodhran", (2.0, 2.25, 2.5, 3.0, 3.25, 3.5), 0.8), each("bodhran_high", (3.0, 3.25, 3.5), 0.9) + each("bodhran", (2.0,), 0.9)),
    bass=(((0.0, 0.9, 1.0, 0), (2.0, 0.9, 0.9, 4)), ((0.0, 0.9, 1.0, 0), (1.0, 0.8, 0.6, 0), (2.0, 0.9, 0.9, 4), (3.0, 0.8, 0.6, 2))),
    comp=(tuple((beat + part, 0.3, loud) for beat in QUARTERS for part, loud in ((0.0, 0.9), (0.5, 0.6))), tuple((beat, 0.6, 0.9) for beat in QUARTERS)),
    riffs={
        "flute": ((tuple((at, 0.3, 0.8, (step,)) for at, step in zip(_THIRDS, (7, 9, 11, 9, 7, 4, 7, 9, 11, 9, 8, 7), strict=True)),),),
    },
    progressions=((0, 4, 0, 3), (0, 3, 4, 0), (0, 4, 5, 3), (0, 6, 0, 4)),
    rhythms=(
        (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 2.25, 2.5, 3.0), (0.0, 0.5, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 3.5),
        (0.0, 0.25, 0.5, 1.0, 1.25, 1.5, 2.0, 3.0, 3.5),
    ),
    layers={
        "intro": {"pad": 0.6, "comp": 0.6},
        "verse": {"bass": 0.9, "comp": 0.8, "lead": 0.8},
        "chorus": {"bass": 1.0, "comp": 1.0, "pad": 0.7, "lead": 1.0, "flute": 0.5},
        "break": {"lead": 0.6},
        "outro": {"bass": 0.9, "comp": 0.8, "lead": 0.8},
    },
    chord_size=3,
    bass_octave=-1,
    duck=0.0,
    room=0.45,
    room_s=1.1,
    loose_s=0.006,
    octaves={"flute": 1, "lead": 1},
    strum_s=0.008,
    strokes=("bodhran", "stomp", "clap"),
    tutti=("comp", "bass"),
    swing=1.0,
)  # fmt: skip

_OOM_PAH = each("bodhran", (0.0, 2.0), 0.9) + each("bodhran_high", (1.0, 3.0), 0.6)
_FREYGISH = (0, 1, 4, 5, 7, 8, 10)

HORA_BAND = replace(
    LINE_DANCE_BAND,
    name="hora",
    voices={
        **LINE_DANCE_BAND.voices,
        "bodhran": JIG_BAND.voices["bodhran"],
        "bodhran_high": JIG_BAND.voices["bodhran_high"],
        "comp": Voice(0.30, -0.3, 0.2, note=soloists.accordion),
        "banjo": Voice(0.34, 0.4, 0.2, note=soloists.nylon_guitar),
        "pad": Voice(0.24, 0.2, 0.4, note=voices.strings),
        "lead": Voice(0.52, 0.1, 0.35, note=voices.violin),
    },
    alternatives={"lead": (Voice(0.55, 0.1, 0.35, note=soloists.flute), Voice(0.42, 0.1, 0.3, note=soloists.accordion))},
    scale=_FREYGISH,
    drums={
        "intro": (_OOM_PAH,),
        "verse": (_OOM_PAH + each("spoons", OFFS, 0.5), _OOM_PAH + each("spoons", (0.5, 1.5, 2.5, 2.75, 3.5), 0.5)),
        "chorus": (
            _OOM_PAH + each("spoons", OFFS, 0.6) + each("clap", (1.0, 3.0), 0.6) + each("stomp", (0.0,), 0.6),
            _OOM_PAH + each("bodhran_high", (1.5, 3.5, 3.75), 0.5) + each("clap", (1.0, 3.0), 0.6) + each("stomp", (0.0,), 0.6),
        ),
        "break": (_OOM_PAH,),
        "outro": (_OOM_PAH + each("spoons", OFFS, 0.5),),
    },
    fills=(each("bodhran", (2.0, 2.5, 3.0, 3.5), 0.8) + each("bodhran_high", (2.75, 3.25), 0.7),),
    comp=(((1.0, 0.3, 0.9), (3.0, 0.3, 0.9)), ((0.5, 0.2, 0.7), (1.5, 0.2, 0.7), (2.5, 0.2, 0.7), (3.5, 0.2, 0.7))),
    progressions=((0, 0, 3, 0), (0, 3, 6, 0), (0, 1, 0, 6), (3, 3, 0, 0)),
    strokes=("bodhran", "stomp", "clap"),
    cymbal="",
)  # fmt: skip
