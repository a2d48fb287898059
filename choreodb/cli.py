"""The command line: parse, run one command, end with one line and a status.

Exit status: 0 done, 1 an expected failure (one line on stderr, nothing written), 2 wrong usage, 3 done and
committed but some inputs were skipped.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from choreodb.commands import COMMANDS
from choreodb.errors import ChoreoError

_UNFINISHED = "nothing of this command was committed"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.run is None:
        parser.print_help()
        return 2
    try:
        with _ended_gently():
            status: int = options.run(options)
            if sys.stdout is not None:  # closed by the caller
                sys.stdout.flush()
        return status
    except ChoreoError as error:
        return _fail(str(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except _EndedError as ended:
        return _fail(f"ended by {ended.signal.name}; {_UNFINISHED}", status=128 + ended.signal)
    except KeyboardInterrupt:
        return _fail(f"interrupted; {_UNFINISHED}", status=130)
    except OSError as error:
        return _fail(f"{error.filename or 'system'}: {error.strerror or error}")


class _EndedError(KeyboardInterrupt):
    """Somebody asked the process to end; like Ctrl-C, it passes through everything that only catches errors."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)


def _end(number: int, frame: FrameType | None) -> None:
    raise _EndedError(number)


@contextmanager
def _ended_gently() -> Iterator[None]:
    """SIGTERM and SIGHUP unwind as Ctrl-C does, so that no half-written file stays behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {}
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # what nohup or a host program has arranged stays
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            before[number] = signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _fail(message: str, status: int = 1) -> int:
    print(f"choreodb: {' '.join(message.split())}", file=sys.stderr)
    return status


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; `docs/cli.md` is generated from it."""
    from choreodb import __version__

    parser = argparse.ArgumentParser(
        prog="choreodb",
        description="A retrieval-first vector database of dance: index motion clips, give it a song, get a dance.",
        epilog="Exit status: 0 done, 1 failed (one line says why), 2 wrong usage, 3 done but some inputs were skipped.",
    )
    parser.add_argument("--version", action="version", version=f"choreodb {__version__}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for each in COMMANDS:
        each.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
