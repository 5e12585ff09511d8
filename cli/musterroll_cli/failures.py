"""What is said of a command that could not do its work."""

from __future__ import annotations

import errno
from pathlib import Path

from musterroll import gettext, term
from musterroll.errors import MusterrollError, PipelineError, StalePlanError, UsageError
from musterroll_cli.output.console import Stream, Styled, show_mistakes
from musterroll_cli.output.escape import shorten


def show_error(stream: Stream, error: MusterrollError, *, verbose: bool) -> None:
    """Prints an error, and what belongs to it."""
    if isinstance(error, PipelineError):
        show_mistakes(stream, error.mistakes)
    else:
        stream.line(Styled(f"{term('error')}: ", "bold red"), error.message)
    if isinstance(error, StalePlanError):
        from musterroll_cli.output.text.stale import show_stale  # noqa: PLC0415 -- seldom

        show_stale(stream, error.stale, verbose=verbose)


def unexpected(error: BaseException, command: str, stage: str | None, *, verbose: bool) -> MusterrollError:
    """What is said of a failure that nobody has foreseen: one line, with what was being done."""
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:  # wherever a file is first looked for
        return UsageError(gettext("{path}: the name is too long for a file; take a shorter one", path=error.filename))
    where = f" ({gettext(stage)})" if stage else ""
    text = " ".join(str(error).split())
    reason = shorten(f"{type(error).__name__}: {text}" if text else type(error).__name__, 300)
    return MusterrollError(
        gettext("unexpected failure in `{command}`{stage}: {reason}", command=command, stage=where, reason=reason)
        + ("" if verbose else gettext("; use --verbose for the details")),
        code="unexpected",
    )


def interrupted(job: str | None) -> MusterrollError:
    """What is said of an interruption; `job` is what can be gone on with."""
    told = (
        gettext("interrupted; to go on: musterroll jobs resume {job}", job=job)
        if job is not None
        else gettext("interrupted")
    )
    return MusterrollError(told, code="interrupted")


def check_current_folder() -> None:
    """Looks whether there is a folder to work in.

    Raises:
        MusterrollError: there is none any more.
    """
    try:
        Path.cwd()
    except OSError:
        text = gettext("the current folder was deleted, or cannot be looked into any more; change to another one")
        raise MusterrollError(text, code="folder.gone") from None
