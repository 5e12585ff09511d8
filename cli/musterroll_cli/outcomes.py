"""How a command ends: the exit status of every outcome, and the outcome of every error."""

from __future__ import annotations

from musterroll.errors import MusterrollError, RefusedError
from musterroll.reports.report import Outcome

EXIT_STATUS = {
    Outcome.OK: 0,
    Outcome.PROBLEMS: 1,
    Outcome.ERROR: 2,
    Outcome.REFUSED: 3,
    Outcome.FAILED: 4,
    Outcome.INTERRUPTED: 130,
}


def outcome_of(error: MusterrollError) -> Outcome:
    """The outcome of an error that stopped a command, mostly before anything was written.

    What goes wrong afterwards comes as a report with an outcome of its own, where one could still be made.
    """
    if error.after_write:
        return Outcome.FAILED
    return Outcome.REFUSED if isinstance(error, RefusedError) else Outcome.ERROR
