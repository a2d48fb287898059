"""The commands: one module each, with `add(commands)` for its options and a thin function that runs it.

A module is imported for every call of `choreodb`, so it imports what it runs inside the function.
"""

from __future__ import annotations

from choreodb.commands import (
    bench,
    compact,
    copies,
    credits,
    dance,
    delete,
    demo,
    evaluate,
    explain,
    export,
    graph,
    index,
    info,
    inspect,
    log,
    merge,
    reembed,
    relabel,
    retarget,
    rollback,
    sample,
    search,
    sql,
    tag,
    train,
    upgrade,
    vacuum,
    verify,
)

COMMANDS = (
    demo,
    index,
    dance,
    explain,
    credits,
    search,
    info,
    sql,
    graph,
    inspect,
    retarget,
    verify,
    log,
    tag,
    rollback,
    delete,
    relabel,
    merge,
    export,
    compact,
    copies,
    reembed,
    vacuum,
    upgrade,
    sample,
    evaluate,
    train,
    bench,
)
"""In the order of `--help` and `docs/cli.md`."""
