"""SQL over a library's tables: one SELECT, in an in-memory database that can read no file and write nothing."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from choreodb.errors import QueryError
from choreodb.storage import catalogue
from choreodb.storage.store import Store
from choreodb.storage.tables import SCHEMAS

if TYPE_CHECKING:
    import duckdb

MAX_CHARACTERS = 100_000
MAX_ROWS = 10_000
TIMEOUT_S = 30.0
MEMORY = "1GB"

_MOTION = ("motion_key", "first_frame", "frames", "joints", "packing")
_PLAIN = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_string, pa.types.is_large_string, pa.types.is_null)

VIEWS: dict[str, str] = {
    "segments": "the view that --where sees",
    "clips": "the table clips",
    "music": "the table music",
    "transitions": "the table transitions",
    "tombstones": "the table tombstones: clips that were deleted",
    "motion": f"what the motion table holds, without the frames: {', '.join(_MOTION)}",
}
"""Names that a query can use, and what they are."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave. rows: JSON values, in order of `columns`. truncated: there were more rows than were asked for."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool
    library_version: int

    def as_dict(self) -> dict[str, Any]:
        """One JSON document (`docs/schema/sql.schema.json`)."""
        return {
            "schema_version": 1,
            "library_version": self.library_version,
            "columns": [{"name": name, "type": kind} for name, kind in zip(self.columns, self.types, strict=True)],
            "rows": [list(row) for row in self.rows],
            "truncated": self.truncated,
        }

    def text(self) -> str:
        """A table for people."""
        cells = [list(self.columns), *([_shown(value) for value in row] for row in self.rows)]
        widths = [max(len(line[column]) for line in cells) for column in range(len(self.columns))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
        lines.insert(1, "  ".join("-" * width for width in widths))
        more = f"\n({len(self.rows)} rows shown, there are more; --limit shows them)" if self.truncated else ""
        return "\n".join(line.rstrip() for line in lines) + more


def query(store: Store, sql: str, *, limit: int = MAX_ROWS, timeout_s: float = TIMEOUT_S) -> Answer:
    """The answer to one SELECT over `VIEWS`, at the version of `store`.

    QueryError, in one line: where `sql` is anything but one SELECT, reaches for a file or the network, is wrong, or
    takes more than `timeout_s` seconds or `MEMORY`.
    """
    import duckdb

    _check_limits(sql, limit, timeout_s)
    with _database() as connection:
        try:
            statement = _only_select(connection, sql)
            for name in connection.get_table_names(statement.query) & set(VIEWS):
                connection.register(name, _view(store, name))
            with _alarm(connection, timeout_s):
                batches = connection.sql(statement.query).to_arrow_reader(min(limit + 1, 2048))
                table = _first_rows(batches, limit + 1)
        except duckdb.InterruptException:
            raise QueryError(
                f"sql {_quoted(sql)} took more than {timeout_s:g} s; narrow it, or give --timeout"
            ) from None
        except (duckdb.Error, pa.ArrowException, UnicodeError) as error:
            raise QueryError(f"sql {_quoted(sql)}: {_first_line(error)}; views are {', '.join(VIEWS)}") from None
    columns = [_values(sql, name, column) for name, column in zip(table.column_names, table.columns, strict=True)]
    rows = tuple(zip(*columns, strict=True)) if columns else ()
    kinds = tuple(str(column.type) for column in table.columns)
    return Answer(tuple(table.column_names), kinds, rows[:limit], len(rows) > limit, store.version)


def _check_limits(sql: str, limit: int, timeout_s: float) -> None:
    if not sql.strip():
        raise QueryError('sql is empty; expected a query such as "select style, count(*) from segments group by 1"')
    if not sql.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in sql):
        raise QueryError("sql is not valid Unicode text; expected UTF-8")
    if len(sql) > MAX_CHARACTERS:
        raise QueryError(f"sql has {len(sql)} characters; at most {MAX_CHARACTERS} are accepted")
    if limit < 1:
        raise QueryError(f"--limit is {limit}; expected at least 1")
    if not (0.0 < timeout_s < math.inf):
        raise QueryError(f"--timeout is {timeout_s:g}; expected seconds, more than 0")


@contextmanager
def _database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of its own, without files, network, extensions or spilling, whose settings are locked."""
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": "false",
        "autoload_known_extensions": "false",
        "autoinstall_known_extensions": "false",
        "allow_community_extensions": "false",
        "python_enable_replacements": "false",
        "temp_directory": "",
        "memory_limit": MEMORY,
        "threads": "1",
        "lock_configuration": "true",
    }
    with duckdb.connect(":memory:", config=config) as connection:
        yield connection


def _only_select(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    import duckdb

    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise QueryError(f"sql {_quoted(sql)} holds {len(statements)} statements; expected one SELECT")
    if statements[0].type != duckdb.StatementType.SELECT:
        kind = str(statements[0].type).removeprefix("StatementType.")
        raise QueryError(f"sql {_quoted(sql)} is {kind}, and a library is only read here; expected one SELECT")
    return statements[0]


def _view(store: Store, name: str) -> pa.Table:
    if name == "segments":
        return catalogue.segments(store)
    return store.columns(name, _MOTION if name == "motion" else SCHEMAS[name].names)


@contextmanager
def _alarm(connection: duckdb.DuckDBPyConnection, timeout_s: float) -> Iterator[None]:
    """Interrupt what the connection does after `timeout_s` seconds."""
    interrupt: Callable[[], None] = connection.interrupt
    timer = threading.Timer(timeout_s, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _first_rows(batches: pa.RecordBatchReader, count: int) -> pa.Table:
    taken, rows = [], 0
    for batch in batches:
        taken.append(batch)
        rows += len(batch)
        if rows >= count:
            break
    return pa.Table.from_batches(taken, schema=batches.schema).slice(0, count)


def _values(sql: str, name: str, column: pa.ChunkedArray) -> list[Any]:
    """`_json_values`; QueryError for what Python has no value for, such as a date in the year 5 million."""
    try:
        return _json_values(column)
    except (ArithmeticError, ValueError, TypeError, NotImplementedError, pa.ArrowException) as error:
        raise QueryError(
            f"sql {_quoted(sql)}: column {name!r} holds a {column.type} that cannot be shown ({_first_line(error)}); "
            "cast it to varchar"
        ) from None


def _json_values(column: pa.ChunkedArray) -> list[Any]:
    """Values that JSON can hold; numbers that are not finite become None, what JSON has no word for becomes text."""
    if pa.types.is_floating(column.type):
        return [value if value is not None and math.isfinite(value) else None for value in column.to_pylist()]
    if any(is_kind(column.type) for is_kind in _PLAIN):
        return list(column.to_pylist())
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp(column.type.unit))
    return [_json_value(value) for value in column.to_pylist()]


def _json_value(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_json_value(each) for each in value]
    if isinstance(value, dict):
        return {str(key): _json_value(each) for key, each in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _shown(value: Any) -> str:
    text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    text = " ".join(text.split())
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _quoted(sql: str) -> str:
    shown = " ".join(sql.split())
    return repr(shown if len(shown) <= 80 else shown[:77] + "...")


def _first_line(error: Exception) -> str:
    return " ".join(str(error).strip().split("\n")[0].split())
