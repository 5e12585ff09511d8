"""Everything that musterroll raises on purpose.

    MusterrollError               one line for the person, a code for the program
    ├── UsageError                the command was called wrongly                      exit 2
    ├── PipelineError             mistakes in the pipeline file, all of them          exit 2
    ├── SourceError               the sheet's file cannot be read                     exit 2
    ├── PlanFileError             a saved plan cannot be read                         exit 2
    ├── PluginError               a plugin broke: which one, in which stage and row   exit 2, or 4 after a write
    ├── StateError                the journal cannot be read or written               exit 2, or 4 after a write
    ├── RefusedError              a lock, a limit, a missing approval                 exit 3
    │   └── StalePlanError            a plan would come out differently now
    ├── BackendError              the user backend cannot do its work                 exit 2, or 4 after a write
    │   └── BackendUnavailableError   it keeps failing: the job is paused
    └── NotifierError             a notifier cannot do its work                       exit 4

KeyboardInterrupt
    └── JobInterrupted            stopped at once, in the middle of a job: which one      exit 130

Problems *in the sheet* are not exceptions: they are `Problem` records, and all of them are collected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

__all__ = [
    "BackendError",
    "BackendUnavailableError",
    "JobInterrupted",
    "Mistake",
    "MusterrollError",
    "NotifierError",
    "PipelineError",
    "PlanFileError",
    "PluginError",
    "RefusedError",
    "SourceError",
    "StalePlanError",
    "StateError",
    "UsageError",
]


class Label(str):
    """An instance as the person knows it, e.g. `validators[corporate-mail]`, that also knows whose it is.

    Attributes:
        by: the plugin that brings it, e.g. `acme 1.0` or `rules.py`; empty where that is not known.
    """

    __slots__ = ("by",)
    by: str

    def __new__(cls, text: str, by: str = "") -> Self:
        """Makes a label."""
        label = super().__new__(cls, text)
        label.by = by
        return label


class MusterrollError(Exception):
    """The root of the tree.

    Attributes:
        message: what is wrong and what to do, for the person; never holds a secret.
        code: `subject.rule`, for programs (`error.code` in the JSON document).
        after_write: something was written before; then it is a failure that can be gone on from, whatever it is.
    """

    code = "error"
    after_write = False

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class JobInterrupted(KeyboardInterrupt):
    """The person did not wait for what was under way; the job can be gone on with.

    Attributes:
        job: its id.
    """

    def __init__(self, job: str) -> None:
        super().__init__("interrupted")
        self.job = job


def as_error(error: BaseException) -> MusterrollError:
    """Returns the error for the person; of what nobody expected only the kind, as its text may hold anything."""
    if isinstance(error, MusterrollError):
        return error
    unexpected = MusterrollError(
        f"unexpected failure while the job was at work: {type(error).__name__}", code="unexpected"
    )
    unexpected.__cause__ = error
    return unexpected


class UsageError(MusterrollError):
    """The command was called wrongly."""

    code = "usage"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a pipeline file.

    Attributes:
        path: the dotted key, e.g. `validators[corporate-mail].options.domain`; empty for the whole file.
        message: what is wrong and what to do.
        origin: the file (or `--set`, `--invites`) the value came from.
        line: the line of the file; None where that is not known.
        excerpt: that line and a mark below the place, to be shown beneath the message; empty where there is none.
    """

    path: str
    message: str
    origin: str
    line: int | None = field(default=None, compare=False)
    excerpt: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{self.origin}: {where}{self.message}"


class PipelineError(MusterrollError):
    """The pipeline file has mistakes; all of them are here."""

    code = "pipeline.invalid"

    def __init__(self, mistakes: Sequence[Mistake], *, code: str | None = None) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes), code=code)
        self.mistakes = tuple(mistakes)


class SourceError(MusterrollError):
    """The sheet's file is missing, damaged, protected, or no spreadsheet."""

    code = "source.unreadable"


class PlanFileError(MusterrollError):
    """The file of a saved plan is missing, damaged, edited, or no plan."""

    code = "plan.unreadable"


class PluginError(MusterrollError):
    """A plugin raised something of its own.

    Attributes:
        plugin: the instance as the person knows it, e.g. `validators[corporate-mail]`; a `Label` knows whose it is.
        stage: what was being done, e.g. `validating`.
        row: the sheet row, where there is one.
        cause: the type and text of the exception; the exception itself is `__cause__`.
    """

    code = "plugin.failed"

    def __init__(self, *, plugin: str, stage: str, cause: BaseException | str, row: int | None = None) -> None:
        self.plugin, self.stage, self.row = plugin, stage, row
        self.cause = cause if isinstance(cause, str) else f"{type(cause).__name__}: {cause}"
        where = f", row {row}" if row is not None else ""
        by = f" (plugin {plugin.by})" if isinstance(plugin, Label) and plugin.by else ""
        super().__init__(f"{plugin}{by} broke while {stage}{where}: {self.cause}")

    def in_row(self, row: int) -> PluginError:
        """The same error, with the row of the sheet that it belongs to."""
        return PluginError(plugin=self.plugin, stage=self.stage, cause=self.cause, row=row)


class StateError(MusterrollError):
    """The journal cannot be read or written."""

    code = "state.unusable"


class RefusedError(MusterrollError):
    """The work was refused: a lock, a limit, a missing approval, a declined question."""

    code = "refused"


class StalePlanError(RefusedError):
    """A plan is not carried out, because it would come out differently now.

    Attributes:
        stale: what has changed: a `Stale` of the planner, of which this module knows nothing.
    """

    code = "plan.stale"

    def __init__(self, message: str, stale: Any) -> None:
        super().__init__(message)
        self.stale = stale


class BackendError(MusterrollError):
    """The user backend cannot do its work."""

    code = "backend.failed"


class BackendUnavailableError(BackendError):
    """The user backend keeps failing; the job is paused and can be resumed."""

    code = "backend.unavailable"


class NotifierError(MusterrollError):
    """A notifier cannot do its work."""

    code = "notifier.failed"
