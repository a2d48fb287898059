"""Part files: one table or array of a library as a file, read with every doubt and written the same each time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from choreodb.errors import StoreError
from choreodb.storage.manifest import ArrayEntry, FileEntry
from choreodb.storage.motion_table import damaged, open_parquet
from choreodb.storage.tables import SCHEMAS

_ROW_GROUP = 1 << 16


def read_part(entry: FileEntry, path: Path, schema: pa.Schema, optional: Sequence[str] = ()) -> pa.Table:
    """The columns of `schema` from one Parquet file; StoreError where it is damaged or has another schema.

    optional: columns that are null where the file lacks them.
    """
    file = open_parquet(entry.path, path)
    try:
        found = file.schema_arrow
        absent = [name for name in optional if name not in found.names]
        table = file.read(columns=[name for name in schema.names if name not in absent], use_threads=False)
        for name in absent:
            table = table.append_column(schema.field(name), pa.nulls(file.metadata.num_rows, schema.field(name).type))
            found = found.append(schema.field(name))
        table = table.select(schema.names)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise damaged(entry.path, error) from None
    for column in schema:
        if found.field(column.name).type != column.type:
            raise StoreError(
                f"{entry.path}: column {column.name!r} is {found.field(column.name).type}, expected {column.type}; "
                "restore it or index the source again"
            )
    if len(table) != entry.rows:
        raise StoreError(f"{entry.path} has {len(table)} rows where the manifest says {entry.rows}; restore it")
    return pa.Table.from_arrays(table.columns, schema=schema)


def map_array(path: Path, entry: ArrayEntry) -> npt.NDArray[Any]:
    """A part's array, memory-mapped. StoreError where file and manifest differ in shape or type, or the file is damaged."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, TokenError) as error:
        raise damaged(entry.file.path, error) from None
    if array.shape != entry.shape or array.dtype.str != entry.dtype:
        raise StoreError(
            f"{entry.file.path} holds {array.dtype.str} {array.shape} where the manifest says {entry.dtype} "
            f"{entry.shape}; restore it or index the source again"
        )
    return array


def conform(name: str, table: pa.Table) -> pa.Table:
    """`table` in exactly the columns, types and order of its schema; StoreError where it does not fit."""
    schema = pa.schema([column.remove_metadata() for column in SCHEMAS[name]])
    if set(table.column_names) != set(schema.names) or len(table.column_names) != len(schema):
        differ = sorted(set(table.column_names) ^ set(schema.names))
        raise StoreError(f"table {name!r}: columns missing or unknown: {', '.join(differ) or 'a column occurs twice'}")
    table = table.select(schema.names)
    for column in schema:
        if not column.nullable and table.column(column.name).null_count:
            raise StoreError(f"table {name!r}: column {column.name!r} has nulls; it needs a value in every row")
    try:
        return table.cast(schema).combine_chunks()
    except (pa.ArrowException, ValueError) as error:
        raise StoreError(f"table {name!r} does not fit its schema: {' '.join(str(error).split())}") from None


def write_parquet(table: pa.Table, file: IO[bytes]) -> None:
    pq.write_table(table, file, compression="zstd", version="2.6", row_group_size=_ROW_GROUP, write_page_checksum=True)


def write_npy(array: npt.NDArray[Any], file: IO[bytes]) -> None:
    np.lib.format.write_array(file, array, version=(1, 0), allow_pickle=False)


def known(name: str, names: Iterable[str]) -> str:
    if name not in names:
        raise StoreError(f"a library has no {name!r}; it has {', '.join(names)}")
    return name
