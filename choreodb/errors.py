"""The errors a user can cause: one root and a few children.

Every message is one line that gives the offending value, what was expected and the remedy.
"""


class ChoreoError(Exception):
    """Root of every expected failure; the command line prints it in one line and exits with 1."""


class MotionFormatError(ChoreoError):
    """A motion file, or a motion in memory, that cannot be read as what it claims to be."""


class MusicFormatError(ChoreoError):
    """An audio or beats file that cannot be read, or that holds no music."""


class StoreError(ChoreoError):
    """A library on disk that is missing, damaged, newer than this code, or being changed by someone else."""


class ConflictError(StoreError):
    """A change to a library that another writer was faster with, or has made impossible."""


class QueryError(ChoreoError):
    """A request that cannot be answered: a predicate, an option, or a song no segment can be danced to."""


class EncoderError(ChoreoError):
    """Trained weights that cannot be read or used, or data that an encoder cannot be trained on."""


class MetricError(ChoreoError):
    """A metric that is not defined on the given input."""


class MissingExtraError(ChoreoError):
    """An optional dependency that is needed here and is not installed."""
