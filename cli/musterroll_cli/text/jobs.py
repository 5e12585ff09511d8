"""Jobs: the list, and what one of them did."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from musterroll.model.plans import Change
from musterroll.model.reports import Failure, JobState, JobSummary, Report
from musterroll_cli.common import Common
from musterroll_cli.console import Stream, Styled
from musterroll_cli.tables import Cells, Column, show_table
from musterroll_cli.text.words import OUTCOMES, amount, local_time, outcomes

SHOWN = 50
"""So many failures are shown one by one, unless the person asks for all."""

_COUNTABLE = 20_000
"""Up to so many rows, the reasons for not inviting are counted: that reads every row of the journal again."""

_STATE_STYLES = {
    JobState.COMPLETED: "green",
    JobState.RUNNING: "cyan",
    JobState.UNDONE: "cyan",
    JobState.PARTIALLY_UNDONE: "yellow",
    JobState.COMPLETED_WITH_ERRORS: "yellow",
}
_OUTCOME_STYLES = {"created": "green", "updated": "green", "deactivated": "green", "unchanged": "dim"}
_ALWAYS = ("created", "updated", "unchanged")
_RESUMABLE = (JobState.INTERRUPTED, JobState.PAUSED, JobState.FAILED)


def show_jobs(stream: Stream, jobs: Sequence[JobSummary]) -> None:
    """Prints the list of jobs."""
    if not jobs:
        stream.line("no jobs yet")
        return
    columns = (
        Column("Job"),
        Column("State"),
        Column("Started"),
        Column("Finished"),
        Column("Sheet", wraps=True),
        Column("Rows", wraps=True),
    )
    rows: Iterator[Cells] = (
        (
            Styled(job.id, "bold"),
            Styled(_state(job), _style(job)),
            local_time(job.started),
            local_time(job.finished),
            job.sheet,
            outcomes(job.counts),
        )
        for job in jobs
    )
    show_table(stream, columns, rows)


def show_job_heading(stream: Stream, report: Report, job: JobSummary) -> None:
    """Prints which job this is, for `jobs show`."""
    finished = f", finished {local_time(job.finished)}" if job.finished else ""
    profile = f" with the profile {report.profile}" if report.profile else ""
    stream.line(Styled(f"Job {job.id}", "bold"), f": {job.sheet}, pipeline {report.pipeline}{profile}")
    stream.line(f"started {local_time(job.started)}{finished}")
    stream.line()


def show_what_happened(stream: Stream, report: Report, job: JobSummary, *, verbose: bool) -> None:
    """Prints what became of the rows, the groups and the invites, and every failure with its reason."""
    show_failures(stream, job.failures(), verbose=verbose)
    rows: list[Cells] = []
    for name in OUTCOMES:
        count = getattr(job.counts, name)
        if count or name in _ALWAYS:
            style = _OUTCOME_STYLES.get(name, "red") if count else "dim"
            rows.append((Styled(name.replace("_", " "), style), Styled(f"{count:,}", style), ""))
    if report.groups_to_create and job.state is not JobState.ABORTED:
        done = job.state in (JobState.COMPLETED, JobState.COMPLETED_WITH_ERRORS)
        words = "new groups" if done else "groups to create"
        rows.append((words, f"{len(report.groups_to_create):,}", ""))
    rows += _invites(report, job, verbose=verbose)
    show_table(stream, (Column(), Column(right=True), Column(wraps=True)), rows, indent=2)
    stream.line()


def show_job_end(stream: Stream, job: JobSummary, *, common: Common) -> None:
    """Prints the last lines: how the job ended, and what to do next."""
    stream.line(Styled(f"Job {job.id}", "bold"), ": ", Styled(_state(job), _style(job)), f", {outcomes(job.counts)}.")
    for step in _next_steps(job, common):
        stream.line(step)


def show_failures(stream: Stream, failures: Iterable[Failure], *, verbose: bool) -> None:
    """Prints what a portal or notifier did not do, and why."""
    failures = iter(failures)
    columns = (
        Column("Row", right=True),
        Column("User", wraps=True, widest=40),
        Column("Operation", wraps=True),
        Column("Status"),
        Column("Why", wraps=True),
    )
    rows = [_failure(failure) for failure in islice(failures, None if verbose else SHOWN)]
    if not rows:
        return
    show_table(stream, columns, rows)
    if hidden := sum(1 for _ in failures):
        stream.line(f"… and {hidden:,} more; --verbose shows all")
    stream.line()


def _failure(failure: Failure) -> Cells:
    return (
        "" if failure.row is None else str(failure.row),
        failure.username or "",
        failure.operation,
        Styled(failure.status, "red"),
        failure.detail or "",
    )


def _invites(report: Report, job: JobSummary, *, verbose: bool) -> Iterator[Cells]:
    counts = job.invites
    for name, style in (("sent", "green"), ("skipped", "dim"), ("held", "yellow"), ("failed", "red")):
        count = getattr(counts, name)
        if not count:
            continue
        reasons = ""
        if name == "skipped" and report.changes and (verbose or job.counts.rows <= _COUNTABLE):
            reasons = _reasons(report.changes())
        elif name == "held":
            reasons = "it is not known whether they were sent"
        yield Styled(f"invites {name}", style), Styled(f"{count:,}", style), Styled(reasons, "dim")


def _reasons(changes: Iterable[Change]) -> str:
    found = Counter(change.invite.reason for change in changes if not change.invite.send and change.invite.reason)
    return ", ".join(f"{reason}: {count:,}" for reason, count in found.most_common())


def _next_steps(job: JobSummary, common: Common) -> Iterator[str]:
    if job.state is JobState.ABORTED:
        yield "Nothing was written. Correct the sheet and run it again."
        return
    if job.counts.rejected:
        rejected = amount(job.counts.rejected, "row")
        yield f"{rejected} left out: correct the sheet and run it again; what is in the portal already stays as it is."
    unfinished = job.counts.failed + job.counts.unknown + job.counts.not_attempted + job.invites.failed
    if job.state in _RESUMABLE or (job.state is JobState.COMPLETED_WITH_ERRORS and unfinished):
        yield f"To go on: {_resume(job, common)}"


def _resume(job: JobSummary, common: Common) -> str:
    words = ["musterroll", "jobs", "resume", job.id]
    if common.pipeline is not None:
        words += ["-p", _quoted(str(common.pipeline))]
    return " ".join(words)


def _quoted(word: str) -> str:
    if os.name == "nt":
        return f'"{word}"' if " " in word else word

    return shlex.quote(word)


def _state(job: JobSummary) -> str:
    return job.state.replace("_", " ")


def _style(job: JobSummary) -> str:
    return _STATE_STYLES.get(job.state, "red")
