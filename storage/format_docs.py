"""Writes `docs/format.md` from the schemas: `python -m choreodb.storage.format_docs > docs/format.md`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pyarrow as pa

from choreodb.storage.catalogue import VIEW
from choreodb.storage.compact import (
    POSITION_ERROR_MM,
    POSITION_STEP_M,
    ROTATION_ERROR_DEG,
    ROTATION_STEP_RAD,
    WEIGHT_STEP,
)
from choreodb.storage.index import CELLS_NAME, EXACT_VECTORS
from choreodb.storage.manifest import FORMAT_VERSION
from choreodb.storage.motion_table import BLOCK_FRAMES, BLOCKS_PER_GROUP
from choreodb.storage.tables import ARRAYS, SCHEMAS

_INTRODUCTION = f"""# The library on disk

A library is a folder. Anything that reads Parquet, `.npy` and JSON can read it; ChoreoDB adds nothing of its own.
This page is generated from the code (`python -m choreodb.storage.format_docs`), and a test compares the two.

Format version: {FORMAT_VERSION}. Units: metres, seconds, y up, right-handed, quaternions w first, 60 frames a second.

## Layout

```
library/
  manifests/m-00000001.json             one per version, never changed
  manifests/tag-premiere.json           a name for a version: `tag` and `version`
  tables/segments-4f0c2a91b7de.parquet  named by the first 12 digits of the sha256 of its bytes
  tables/motion-...parquet              one or several parts; new clips add a part
  arrays/embeddings-...npy              raw little-endian numpy arrays, memory-mapped
  index/{CELLS_NAME}-...bin                   a vector index, above {EXACT_VECTORS:,} segments
  models/encoder-...safetensors         the weights of a trained encoder that made the embeddings
  tables/staged-...npz                  a clip that an unfinished `index` has read; in no version
```

- **A version is its manifest.** It names every file of the version with `path`, `rows`, `bytes` and `sha256`, and holds
  `format_version`, `version`, `parent`, `code_version`, `encoder` (name and sha256), `meta` (whatever the indexer noted)
  and a `checksum` of itself. From format 2 on, `change` says what the commit did and `needs` which ChoreoDB reads it;
  from format 3 on, `models` names the weights of a trained encoder, which come along wherever the library goes.
  Arrays, indexes and models may have a `fold`: the file's little-endian 64-bit words, filled up with zeros to rows of 512,
  are summed by column modulo 2^64, and it is the first 16 digits of the sha256 of the 512 sums.
  It is canonical JSON (sorted keys, ASCII). It has no dates and no host names: the same input gives the same bytes.
  When a version was made is when its manifest's file was written, which a copy may lose.
- **Readers** take the highest version and keep to it; older versions open by number or tag. A reader has a shared
  `flock` on its manifest, which goes with the process, and keeps `vacuum` away; it waits for nobody.
- **A commit** goes in this order: every new file is written under a temporary name (`.tmp-...`), synced and renamed; the
  folders `manifests`, `tables`, `arrays`, `index` and `models` are synced; the manifest is written under a temporary name and
  synced; it gets its own name by a hard link, which fails if that is taken; `manifests` and the library's folder are
  synced. So a machine that stops at any moment has the old version or the new one, and of two racing writers exactly
  one wins. The other builds its change again on the version that won, unless both touched the same clip: then it stops,
  names the clip, and has changed nothing. Temporary files of killed processes go with the next commit.
- **A delete** takes a clip's rows out of all tables and arrays, mends the graph, and leaves a tombstone, by which `index`
  leaves the clip out from then on. Its motion stays in the files of older versions, and of the new one until `compact`.
- **`vacuum`** removes versions and then every file that no version needs, in this order, so that a kill leaves nothing
  but unneeded files. It spares the newest versions, those with a tag and those that a process has open, and waits for
  writers, who have a shared `flock` on the folder `manifests`. Where a place has no locks (an object store), readers and
  writers cannot be seen: there it spares what is younger than a day, unless `--grace` says otherwise.
- **Readers refuse** a format that is newer than they know, a manifest that is damaged or names anything outside the
  library, and a file that is missing or has another size. Before its first use, an array, an index or a model is compared
  with its `fold` (without one, with its sha256), and every page of a table that is read with the page's own checksum.
  `choreodb verify` re-hashes everything and cross-checks.
"""

_MOTION = f"""One row is a block of up to {BLOCK_FRAMES} frames, and {BLOCKS_PER_GROUP} blocks make a row group, so that
a bar is read without its neighbours. The blocks of a motion tile its frames from 0. Pages are plain and uncompressed,
in a part of compact blocks compressed by zstd.

A block whose `packing` is `compact` holds whole steps: rotations as rotation vectors (angle at most pi) in
steps of {ROTATION_STEP_RAD:g} rad in int16, root in steps of {POSITION_STEP_M * 1000:g} mm and face in steps of 1/{round(1 / WEIGHT_STEP)}, both in int32. Of each channel the second
differences in time are taken (the two frames before the first count as 0; sums wrap round), folded as `(d << 1) ^ (d >> bits - 1)`,
and laid out as [bytes, channels, frames]: the lowest byte of all channels first. No rotation is off by more than
{ROTATION_ERROR_DEG:g} degrees, no position of the root by more than {POSITION_ERROR_MM:g} mm.
"""

_NOTES = {"motion": _MOTION}


def markdown() -> str:
    """The page as text."""
    parts = [_INTRODUCTION, "## Tables\n\nParquet. A column without `null` has a value in every row.\n"]
    for name, schema in SCHEMAS.items():
        parts.append(f"### {name}\n")
        parts += [_NOTES[name]] if name in _NOTES else []
        rows = [(field.name, _kind(field), (field.metadata or {})[b"doc"].decode()) for field in schema]
        parts.append(_table(("column", "type", "meaning"), rows))
    parts.append("## Arrays\n")
    parts.append(_table(("array", "holds"), list(ARRAYS.items())))
    parts.append(
        "## The view `segments`\n\nWhat `--where` sees: one boolean expression over these columns, made of comparisons,"
        " `and`, `or`, `not`, `in (...)`, `between`, `like`, `ilike`, `is null`, arithmetic, and `lower`, `upper`,"
        " `abs`. Null counts as no.\n"
    )
    parts.append(_table(("column", "type", "meaning"), [(name, *about) for name, about in VIEW.items()]))
    return "\n".join(parts)


def _kind(field: pa.Field) -> str:
    kind = f"list of {field.type.value_type}" if pa.types.is_list(field.type) else str(field.type)
    return f"{kind} or null" if field.nullable else kind


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *((f"`{row[0]}`", *row[1:]) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(markdown())
