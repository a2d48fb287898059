"""The Parquet tables of a library: columns, types and units. `docs/format.md` documents them; a test compares the two."""

from __future__ import annotations

import pyarrow as pa


def _schema(*columns: tuple[str, pa.DataType, bool, str]) -> pa.Schema:
    fields = [pa.field(name, kind, nullable=null, metadata={"doc": doc}) for name, kind, null, doc in columns]
    return pa.schema(fields)


_STR, _F64, _F32, _I64, _I32, _BOOL = pa.string(), pa.float64(), pa.float32(), pa.int64(), pa.int32(), pa.bool_()

CLIPS = _schema(
    ("clip", _STR, False, "id: POSIX path relative to the source without suffix, prefixed by the source folder's name"),
    (
        "motion_key",
        _STR,
        False,
        "key of the clip's rows in the motion table; changes when the source or its settings do",
    ),
    ("dataset", _STR, False, "name of the source folder"),
    ("source_path", _STR, False, "path of the motion file relative to its source folder"),
    ("source_sha256", _STR, False, "sha256 of the motion file"),
    ("source_fps", _F64, False, "frames per second of the source as used"),
    ("source_frames", _I64, False, "frames in the source file"),
    ("source_start_s", _F64, False, "seconds of the source at the clip's frame 0"),
    ("duration_s", _F64, False, "seconds of canonical motion"),
    ("frames", _I32, False, "canonical frames at 60 fps"),
    ("joints", _I32, False, "22 without fingers, 52 with"),
    ("style", _STR, True, "style label"),
    ("performer", _STR, True, "performer label"),
    ("licence", _STR, True, "licence as stated by the source; null is unknown"),
    ("music", _STR, True, "key of the paired song in the music table"),
    ("music_start_s", _F64, True, "the song's seconds at the clip's frame 0, the estimated lag included"),
    ("music_lag_s", _F64, True, "estimated lag that was added to the stated music start; 0 where none was accepted"),
    ("beat_source", _STR, False, "music, motion or none"),
    ("beat_confidence", _F64, False, "0..1"),
    ("tempo_bpm", _F64, True, "median tempo of the clip's grid"),
    ("metre", _I32, True, "beats a bar"),
    ("beats_s", pa.list_(_F64), False, "beat times in clip seconds; empty where beat_source is none"),
    ("beat_positions", pa.list_(_I32), False, "place of each beat in its bar, 1 is the downbeat"),
    ("scale", _F64, False, "performer's leg length over the canonical one"),
    ("residual_cm", _F64, False, "mean joint distance between the source and the canonical motion, centimetres"),
    ("notes", pa.list_(_STR), False, "what the reader decided, one sentence each"),
    ("consent", _STR, True, "what the source says of the performer's consent; null is unknown"),
    ("mirror", _BOOL, True, "whether its segments have mirrored copies; null from an earlier version"),
    ("face", pa.list_(_STR), True, "names of the face channels; empty without any, null from an earlier version"),
    ("copy_of", _STR, True, "the clip of which this is a virtual copy, with no motion of its own; null otherwise"),
    ("rate", _F64, True, "how much faster a virtual copy is than its clip; null otherwise"),
)

MOTION = _schema(
    ("motion_key", _STR, False, "key of the clip's motion"),
    ("first_frame", _I32, False, "first canonical frame of this block"),
    ("frames", _I32, False, "frames in this block"),
    ("joints", _I32, False, "22 or 52"),
    (
        "rotations",
        pa.large_binary(),
        False,
        "float32 little-endian [frames, joints, 4], local unit quaternions, w first",
    ),
    ("root", pa.large_binary(), False, "float32 little-endian [frames, 3], pelvis position, metres"),
    (
        "contacts",
        pa.large_binary(),
        False,
        "uint8 [frames, 4]: left heel, left toe, right heel, right toe; 1 is contact",
    ),
    (
        "face",
        pa.large_binary(),
        True,
        "float32 little-endian [frames, channels], weights of the clip's face channels; null without any",
    ),
    ("packing", _STR, True, "null: rotations, root and face are as said above; `compact`: see below"),
)

MUSIC = _schema(
    ("music", _STR, False, "id: sha256 of the audio file"),
    ("path", _STR, False, "path relative to the source folder"),
    ("dataset", _STR, False, "name of the source folder"),
    ("duration_s", _F64, False, "seconds of decoded samples"),
    ("tempo_bpm", _F64, False, "tempo of the chosen grid"),
    ("metre", _I32, False, "beats a bar of the chosen grid"),
    ("confidence", _F64, False, "0..1"),
    ("beats_s", pa.list_(_F64), False, "beat times in song seconds"),
    ("beat_positions", pa.list_(_I32), False, "place in the bar, 1 is the downbeat"),
    ("licence", _STR, True, "licence as stated by the source; null is unknown"),
)

SEGMENTS = _schema(
    ("segment", _I64, False, "row number; also the row in the embeddings, entry and exit arrays"),
    ("clip", _STR, False, "the clip it is a part of"),
    ("first_bar", _I32, False, "index of its first bar (or window) in the clip"),
    ("bars", _I32, False, "bars it spans, 1 or 2"),
    ("start_s", _F64, False, "clip seconds at its first bar line"),
    ("end_s", _F64, False, "clip seconds at its last bar line"),
    (
        "beats_s",
        pa.list_(_F64),
        False,
        "beat times in clip seconds, both bar lines included; empty where beat_source is none",
    ),
    ("tempo_bpm", _F64, True, "its own tempo; null where beat_source is none"),
    ("metre", _I32, True, "beats a bar; null where beat_source is none"),
    ("beat_source", _STR, False, "music, motion or none"),
    ("energy", _F32, False, "mean joint speed in m/s on the canonical skeleton"),
    ("mirrored", _BOOL, False, "a virtual copy, left and right exchanged"),
    ("short", _BOOL, False, "the whole clip, which is too short for a bar"),
    ("walkable", _BOOL, False, "in the largest strongly connected component of the transition graph"),
    ("continuation", _I64, False, "segment that starts exactly where this one ends, -1 where there is none"),
    ("origin", _STR, False, "sha256 of the source file"),
    ("origin_start_s", _F64, False, "source seconds of its start"),
    ("origin_end_s", _F64, False, "source seconds of its end"),
    ("twin_group", _I64, False, "segments that are twins share a number; -1 without twins"),
)

TRANSITIONS = _schema(
    ("source", _I64, False, "segment that is left at its end"),
    ("target", _I64, False, "segment that is entered at its start"),
    ("cost", _F32, False, "distance of boundary features; 0 for a continuation"),
    ("continuation", _BOOL, False, "the target starts exactly where the source ends"),
)

TOMBSTONES = _schema(
    ("clip", _STR, False, "id of a clip that was deleted; `index` leaves it out from then on"),
    ("motion_key", _STR, False, "key of its motion, by which `verify --absent` finds what is left of it"),
    ("source_sha256", _STR, False, "sha256 of its motion file"),
    ("version", _I64, False, "the version that deleted it"),
    ("reason", _STR, True, "why, where that was stated"),
)

OPTIONAL_COLUMNS = frozenset({("clips", "copy_of"), ("clips", "rate")}) | frozenset(
    {("clips", "face"), ("clips", "consent"), ("clips", "mirror"), ("motion", "face"), ("motion", "packing")}
)
"""Columns (table, name) that a library may lack, because an earlier version wrote it; they read as null."""

SCHEMAS = {
    "clips": CLIPS,
    "motion": MOTION,
    "music": MUSIC,
    "segments": SEGMENTS,
    "transitions": TRANSITIONS,
    "tombstones": TOMBSTONES,
}

ARRAYS = {
    "embeddings": "float32 [S, 256], unit rows: the shared space of music and motion",
    "entry": "float32 [S, D]: weighted boundary features at each segment's start; squared distance is transition cost",
    "exit": "float32 [S, D]: weighted boundary features at each segment's end",
    "travel": "float32 [S, 3]: how far the pelvis gets, x and z in metres as seen when facing as at the segment's start,"
    " and how far it turns, radians; may be absent",
    "accents": "float32 [S, 128]: 32 means along the segment of each of: mean joint speed and the slower foot's, m/s,"
    " mean joint acceleration, m/s2, vertical velocity of the pelvis, m/s; may be absent",
    "outline": "float16 [S, 99]: eleven joints in metres, seen as when facing as at the segment's start: their mean over it and"
    " the first two cosine waves, orthonormal; what twins of a new segment are looked for by; may be absent",
}

ARRAY_DTYPES = {name: "<f2" if name == "outline" else "<f4" for name in ARRAYS}

OPTIONAL_ARRAYS = frozenset({"travel", "accents", "outline"})
"""Arrays that a library may lack, because an earlier version wrote it."""
