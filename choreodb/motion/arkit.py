"""Which of ARKit's face channels the morphs of VRM, VRoid, Ready Player Me and MMD mean."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np

from choreodb.motion.face import ARKIT52
from choreodb.motion.rotations import FloatArray

_LOOKS = {
    "up": ("eyeLookUpLeft", "eyeLookUpRight"),
    "down": ("eyeLookDownLeft", "eyeLookDownRight"),
    # the dancer's own left
    "left": ("eyeLookOutLeft", "eyeLookInRight"),
    "right": ("eyeLookInLeft", "eyeLookOutRight"),
}


def _both(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}{side}" for name in names for side in ("Left", "Right"))


# Morphs that mean one or several ARKit channels, by their plain name (see `_plain`); others keep their own names.
_MEANINGS: dict[str, tuple[str, ...]] = {
    # VRM 0 and 1 (vrm-c/vrm-specification, expressions), and MMD's vowels
    **dict.fromkeys(("aa", "fclmtha", "あ"), ("jawOpen",)),
    **dict.fromkeys(("ih", "fclmthi", "い"), _both("mouthStretch")),
    **dict.fromkeys(("ou", "fclmthu", "う"), ("mouthPucker",)),
    **dict.fromkeys(("oh", "fclmtho", "お"), ("mouthFunnel",)),
    **dict.fromkeys(("blink", "fcleyeclose", "eyesclosed", "まばたき"), _both("eyeBlink")),
    **dict.fromkeys(("blinkleft", "fcleyecloseleft", "ウィンク", "ウィンク2"), ("eyeBlinkLeft",)),
    **dict.fromkeys(("blinkright", "fcleyecloseright", "ウィンク右", "ウィンク2右"), ("eyeBlinkRight",)),
    **{f"look{way}": channels for way, channels in _LOOKS.items()},
    **{f"eyeslook{way}": channels for way, channels in _LOOKS.items()},
    # Ready Player Me and VRoid
    "mouthopen": ("jawOpen",),
    "mouthsmile": _both("mouthSmile"),
    "fclmthfun": _both("mouthSmile"),
    "fclbrwangry": _both("browDown"),
    "fclbrwsurprised": ("browInnerUp", *_both("browOuterUp")),
    "fcleyesurprised": _both("eyeWide"),
    # MMD
    "笑い": _both("eyeBlink", "cheekSquint"),
    "びっくり": _both("eyeWide"),
    "じと目": _both("eyeSquint"),
    "にやり": _both("mouthSmile"),
    "口角上げ": _both("mouthSmile"),
    "口角下げ": _both("mouthFrown"),
    "∧": _both("mouthFrown"),
    "怒り": _both("browDown"),
    "困る": ("browInnerUp",),
    "上": ("browInnerUp", *_both("browOuterUp")),
    "ぺろっ": ("tongueOut",),
}
# VRM's short vowels are plain letters: they count only where all of them are there.
_VOWELS = {"a": ("jawOpen",), "i": _both("mouthStretch"), "u": ("mouthPucker",), "o": ("mouthFunnel",)}


def arkit_channels(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The ARKit channels that each of `names` stands for; a name that stands for none maps to itself."""
    own = {_plain(name): (name,) for name in ARKIT52}
    plain = [_plain(name) for name in names]
    meanings: Mapping[str, tuple[str, ...]] = {**_MEANINGS, **own}
    if set(_VOWELS) <= set(plain):
        meanings = {**meanings, **_VOWELS}
    return {name: meanings.get(word, (name,)) for name, word in zip(names, plain, strict=True)}


def to_arkit(weights: FloatArray, names: Sequence[str]) -> tuple[FloatArray, tuple[str, ...], str | None]:
    """(weights [T, G], channel names, what was renamed or None) of the face channels `names` with `weights` [T, F].

    Several morphs of one ARKit channel add up, to no more than 1 or than the largest of them.
    """
    channels = arkit_channels(names)
    out = tuple(dict.fromkeys(each for meant in channels.values() for each in meant))
    share = np.array([[float(each in channels[name]) for each in out] for name in names])
    mapped = weights @ share.astype(weights.dtype)
    several = share.sum(axis=0) > 1.0
    for column in np.flatnonzero(several):
        highest = np.max(np.abs(weights[:, share[:, column] > 0.0]), axis=1)
        mapped[:, column] = np.clip(mapped[:, column], -np.maximum(highest, 1.0), np.maximum(highest, 1.0))
    renamed = [name for name in names if channels[name] != (name,)]
    if not renamed:
        return mapped, out, None
    kept = sum(channels[name] == (name,) and name not in ARKIT52 for name in names)
    shown = ", ".join(f"{name} = {' + '.join(channels[name])}" for name in renamed[:6])
    more = ", ..." if len(renamed) > 6 else ""
    return mapped, out, f"face: {len(renamed)} morphs by ARKit's names ({shown}{more}), {kept} under their own"


def _plain(name: str) -> str:
    """`Face.EyeBlink_L` -> `eyeblinkleft`: without a prefix, marks or case, sides in full."""
    text = unicodedata.normalize("NFKC", name).strip()
    text = re.sub(r"^.*[.:|]", "", text)
    text = re.sub(r"[_ ]([LR])$", lambda side: "Left" if side[1] == "L" else "Right", text)
    return re.sub(r"[\s_!\-]", "", re.sub(r"^[A-Za-z0-9_]*Fcl_", "Fcl_", text)).lower()
