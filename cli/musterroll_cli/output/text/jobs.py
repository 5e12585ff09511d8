"""Jobs: the list, and what one of them did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from musterroll import counted, fraction, gettext, gettext_noop, term
from musterroll.engine import Change, Failure, JobState, JobSummary, Report
from musterroll_cli.options import Common
from musterroll_cli.output.console import Stream, Styled
from musterroll_cli.output.tables import Cells, Column, show_table
from musterroll_cli.output.text.words import (
    OUTCOMES,
    amount,
    and_more,
    hand_edit_words,
    invite_outcomes,
    local_time,
    outcomes,
    privileged_words,
    quoted,
    short_path,
)

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
_OUTCOME_STYLES = {
    "created": "green",
    "updated": "green",
    "deactivated": "green",
    "reactivated": "green",
    "deleted": "green",
    "unchanged": "dim",
    "ignored": "dim",
}
_ALWAYS = ("created", "updated", "unchanged")
_INVITE = "invite"  # the kind of a job without a sheet
_JOBS = (
    Column(gettext_noop("Job")),
    Column(gettext_noop("State")),
    Column(gettext_noop("Started")),
    Column(gettext_noop("Finished")),
    Column(gettext_noop("Sheet"), wraps=True),
    Column(gettext_noop("Rows"), wraps=True),
)
_FAILURES = (
    Column(gettext_noop("Row"), right=True),
    Column(gettext_noop("User"), wraps=True, widest=40),
    Column(gettext_noop("Operation"), wraps=True),
    Column(gettext_noop("Status")),
    Column(gettext_noop("Why"), wraps=True),
)


def show_jobs(stream: Stream, jobs: Sequence[JobSummary]) -> None:
    """Prints the list of jobs."""
    if not jobs:
        stream.line(gettext("no jobs yet"))
        return
    rows: Iterator[Cells] = (
        (
            Styled(job.id, "bold"),
            Styled(term(job.state), _style(job)),
            local_time(job.started),
            local_time(job.finished),
            _about(job),
            _outcomes(job),
        )
        for job in jobs
    )
    show_table(stream, _JOBS, rows)


def show_job_heading(stream: Stream, report: Report, job: JobSummary) -> None:
    """Prints which job this is, for `jobs show`."""
    pipeline = report.pipeline
    if report.profile:
        pipeline = gettext("{pipeline} with the profile {profile}", pipeline=pipeline, profile=report.profile)
    stream.line(
        Styled(gettext("Job {job}", job=job.id), "bold"),
        ": ",
        gettext("{about}, pipeline {pipeline}", about=_about(job), pipeline=pipeline),
    )
    started, finished = local_time(job.started), local_time(job.finished)
    stream.line(
        gettext("started {started}, finished {finished}", started=started, finished=finished)
        if finished
        else gettext("started {started}", started=started)
    )
    if job.plan is not None:
        stream.line(gettext("applied the saved plan {plan}", plan=job.plan))
    if job.approved is not None:
        stream.line(gettext("approved by {name}, {time}", name=job.approved.by, time=local_time(job.approved.at)))
    if job.error is not None:
        stream.line(Styled(gettext("stopped: "), "red"), job.error)
    stream.gap()


def show_what_happened(stream: Stream, report: Report, job: JobSummary, *, verbose: bool) -> None:
    """Prints what became of the rows, the groups and the invites, and every failure with its reason."""
    show_failures(stream, job.failures(), verbose=verbose)
    rows: list[Cells] = []
    for name in OUTCOMES if job.kind != _INVITE else ():
        count = getattr(job.counts, name)
        if count or name in _ALWAYS:
            style = _OUTCOME_STYLES.get(name, "red") if count else "dim"
            rows.append((Styled(term(name), style), Styled(counted(count), style), ""))
    if report.groups_to_create and job.state is not JobState.ABORTED:
        done = job.state in (JobState.COMPLETED, JobState.COMPLETED_WITH_ERRORS)
        words = gettext("new groups") if done else gettext("groups to create")
        rows.append((words, counted(len(report.groups_to_create)), ""))
    privileged = Styled(gettext("privileged"), "bold yellow")
    rows += [(privileged, "", privileged_words(group)) for group in report.privileged]
    if report.hand_edits is not None:
        rows.append((Styled(gettext("by hand"), "yellow"), "", hand_edit_words(report.hand_edits)))
    rows += _invites(report, job, verbose=verbose)
    show_table(stream, (Column(), Column(right=True), Column(wraps=True)), rows, indent=2)
    stream.gap()


def show_job_end(stream: Stream, job: JobSummary, *, common: Common) -> None:
    """Prints the last lines: how the job ended, and what to do next."""
    name, state = gettext("Job {job}", job=job.id), Styled(term(job.state), _style(job))
    stream.line(Styled(name, "bold"), ": ", state, f", {_outcomes(job)}.")
    for step in _next_steps(job, common):
        stream.line(step)


def show_failures(stream: Stream, failures: Iterable[Failure], *, verbose: bool) -> None:
    """Prints what a portal or notifier did not do, and why."""
    failures = iter(failures)
    rows = [_failure(failure) for failure in islice(failures, None if verbose else SHOWN)]
    if not rows:
        return
    show_table(stream, _FAILURES, rows)
    if hidden := sum(1 for _ in failures):
        stream.line(and_more(hidden))
    stream.gap()


def _failure(failure: Failure) -> Cells:
    return (
        "" if failure.row is None else str(failure.row),
        failure.username or "",
        failure.told,
        Styled(term(failure.status), "red"),
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
            reasons = gettext("it is not known whether they were sent")
        yield (
            Styled(gettext("invites {state}", state=term(name)), style),
            Styled(counted(count), style),
            Styled(reasons, "dim"),
        )


def _reasons(changes: Iterable[Change]) -> str:
    found = Counter(change.invite.reason for change in changes if not change.invite.send and change.invite.reason)
    return ", ".join(f"{term(reason)}: {counted(count)}" for reason, count in found.most_common())


def _next_steps(job: JobSummary, common: Common) -> Iterator[str]:
    if job.state is JobState.ABORTED:
        yield gettext("Nothing was written. Correct the sheet and run it again.")
        return
    if job.state is JobState.QUARANTINED:
        command = _go_on("approve", job, common)
        yield gettext("Nothing was written: a limit is exceeded. If that is meant: {command}", command=command)
        return
    if job.counts.rejected:
        yield _about_rejected(amount(job.counts.rejected, "row"), job.rejected_file)
    if job.can_go_on:
        yield gettext("To go on: {command}", command=_go_on("resume", job, common))
    if job.invites.held:
        invites, command = amount(job.invites.held, "invite"), _command("invites list --state held", common)
        yield gettext("{invites} held: {command}", invites=invites, command=command)


def _about_rejected(rows: str, file: str | None) -> str:
    if file is None:
        return gettext(
            "{rows} left out: correct the sheet and run it again; what is in the portal already stays as it is.",
            rows=rows,
        )
    return gettext(
        "{rows} left out: correct what {file} says is wrong, and run that file.",
        rows=rows,
        file=short_path(Path(file)),
    )


def _go_on(verb: str, job: JobSummary, common: Common) -> str:
    return _command(f"jobs {verb} {job.id}", common)


def _command(text: str, common: Common) -> str:
    words = ["musterroll", text]
    if common.pipeline is not None:
        words += ["-p", quoted(str(common.pipeline))]
    return " ".join(words)


def show_pruned(stream: Stream, jobs: Sequence[str], freed: int, *, quiet: bool) -> None:
    """Prints which jobs were forgotten, and how much space that gives back."""
    if not jobs:
        stream.line(gettext("No job can be forgotten."))
        return
    if not quiet:
        for job in jobs:
            stream.line("  ", job)
    forgotten = gettext("{jobs} forgotten", jobs=amount(len(jobs), "job"))
    stream.line(Styled(forgotten, "bold"), gettext(", {size} freed.", size=_size(freed)))


def _size(size: int) -> str:
    return f"{fraction(size / 1_000_000, 1)} MB" if size >= 100_000 else f"{fraction(size / 1000, 0)} kB"


def _about(job: JobSummary) -> str:
    """What a job works on."""
    return gettext("undo of {job}", job=job.undoes) if job.undoes else job.sheet or gettext("invites")


def _outcomes(job: JobSummary) -> str:
    return invite_outcomes(job.invites) if job.kind == _INVITE else outcomes(job.counts)


def _style(job: JobSummary) -> str:
    return _STATE_STYLES.get(job.state, "red")
