"""Exceptions; each carries the exit code of the command and the diagnostics."""


class Error(Exception):
    """Base of everything qopt raises.

    Attributes:
      exit_code: what `qopt` would have exited with.
      code: the number in `error[QOPTnnnn]`.
      notes: further lines, one per offender.
      help: one thing to do, or an empty string.
    """

    exit_code = 70

    def __init__(self, message, code=7001, notes=(), help=""):
        super().__init__("\n".join([message, *("note: " + n for n in notes),
                                    *(["help: " + help] if help else [])]))
        self.message = message
        self.code = code
        self.notes = list(notes)
        self.help = help

    @property
    def diagnostics(self):
        """The message and its notes."""
        return [self.message, *self.notes]


class UsageError(Error):
    """An option has a wrong value."""
    exit_code = 2


class UnsupportedError(Error):
    """An op, type or shape is not supported; `notes` lists all of them."""
    exit_code = 3

    @property
    def nodes(self):
        """One line per unsupported node."""
        return self.diagnostics


class ModelError(Error):
    """The model file is missing, damaged or contradicts itself."""
    exit_code = 4


class DataError(Error):
    """Arrays do not fit the model, or their values are unusable."""
    exit_code = 5


class ResourceError(Error):
    """A limit was reached or a file cannot be written."""
    exit_code = 10


class MissingToolError(Error):
    """A program or optional component is not installed."""
    exit_code = 11


class InternalError(Error):
    """A defect of qopt."""
    exit_code = 70


_BY_EXIT_CODE = {cls.exit_code: cls for cls in (
    UsageError, UnsupportedError, ModelError, DataError, ResourceError,
    MissingToolError, InternalError)}


def make(exit_code, code, message, notes, help):
    """The exception of an exit code; called by the extension."""
    error = _BY_EXIT_CODE.get(exit_code, Error)(message, code, notes, help)
    error.exit_code = exit_code
    return error
