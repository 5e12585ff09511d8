"""Tells those notifiers how a command ended that want to know (`on = ["finished"]`)."""

from __future__ import annotations

import datetime as dt
import logging
import shlex
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from musterroll.contract.messages import Message, Purpose, SentStatus
from musterroll.contract.source import called
from musterroll.contract.translation import gettext
from musterroll.errors import JobInterrupted, MusterrollError, NotifierError, RefusedError, UsageError
from musterroll.journal.job import JobState
from musterroll.pipeline.pipeline import Pipeline
from musterroll.reports.jobs import outcome
from musterroll.reports.report import Outcome, Report
from musterroll.reports.summaries import JobSummary
from musterroll.written.hand_over import check_hand_over
from musterroll.written.rejected import check_place


@contextmanager
def ending(
    pipeline: Pipeline,
    command: str,
    sheet: Path | None,
    rejected_to: Path | None = None,
    hand_over_to: Path | None = None,
) -> Iterator[Callable[[Report], Report]]:
    """Around what a writing command does: tells how it ended, once, however that was, unless a person declined.

    Args:
        pipeline: the pipeline; its notifiers are told.
        command: the command, e.g. `run`.
        sheet: the sheet as it was named, where it was.
        rejected_to: the file for rejected rows, where one was named; refused at once where it cannot be.
        hand_over_to: the file for first passwords, likewise.

    Yields:
        Takes the report at the end, and gives it back. That nobody could be told is its error, where it has no other.
    """
    is_told = not any(Purpose.FINISHED in instance.on for instance in pipeline.notifiers)
    started = pipeline.clock()
    values = {"pipeline": pipeline.name, "profile": pipeline.profile or "", "command": command}
    values["sheet"] = "" if sheet is None else called(sheet)

    def end(report: Report) -> Report:
        nonlocal is_told
        if is_told or report.nothing_left:
            return report
        is_told = True
        try:
            failure = _tell(pipeline, started, {**values, **_of_report(pipeline, report)})
        except BaseException:
            report.close()
            raise
        if failure is not None and report.error is None:
            report.error = failure
            if report.job is not None:
                report.outcome = outcome(report.job, errors=report.counts.errors, error=failure)
        return report

    try:
        check_place(pipeline, rejected_to)
        check_hand_over(hand_over_to)
        yield end
    except BaseException as error:
        ended = None if is_told else _ended_by(error, pipeline)
        if ended is not None and (failure := _tell(pipeline, started, {**values, **ended})) is not None:
            logging.getLogger("musterroll").warning("%s", failure.message)  # what went wrong first counts
        raise


def _ended_by(error: BaseException, pipeline: Pipeline) -> Mapping[str, str] | None:
    """What is told of a command that made no report; None where nobody is told."""
    match error:
        case UsageError():  # nothing began
            return None
        case MusterrollError():
            if error.code == "declined":
                return None
            ended = Outcome.REFUSED if isinstance(error, RefusedError) else Outcome.ERROR
            return {"state": ended, "outcome": ended, "reason": error.message}
        case KeyboardInterrupt():
            # Without a request to stop it came from the question, or from where nobody waits for an end in order.
            ended = Outcome.INTERRUPTED
            told: dict[str, str] = {"state": ended, "outcome": ended}
            if isinstance(error, JobInterrupted):
                told |= {
                    "job": error.job,
                    "next_step": gettext("to go on: {command}", command=_go_on(pipeline, "resume", error.job)),
                }
            return told if pipeline.cancelled.is_set() else None
        case Exception():
            # Its text may hold anything, so only its kind is told.
            return {"state": Outcome.ERROR, "outcome": Outcome.ERROR, "reason": f"unexpected: {type(error).__name__}"}
    return None


def _of_report(pipeline: Pipeline, report: Report) -> Mapping[str, str]:
    values: dict[str, object] = {"outcome": report.outcome, "reason": report.error.message if report.error else ""}
    values |= {name: getattr(report.counts, name) for name in ("errors", "warnings", "not_read")}
    if report.sheet is not None:
        values["sheet"] = report.sheet.path
    if (job := report.job) is not None:
        values |= {"job": job.id, "state": job.state, "rejected_file": job.rejected_file or "", **asdict(job.counts)}
        values |= {"sent": job.invites.sent, "held": job.invites.held, "invites_failed": job.invites.failed}
        values["next_step"] = _next_step(pipeline, job)
        if report.error is None and job.error is not None:
            values["reason"] = job.error
    return {name: str(value) for name, value in values.items()}


def _next_step(pipeline: Pipeline, job: JobSummary) -> str:
    """What a person has to do, where there is something."""
    if job.state is JobState.QUARANTINED:
        return gettext("if that is meant, let it through: {command}", command=_go_on(pipeline, "approve", job.id))
    if job.state is JobState.ABORTED:
        return gettext("nothing was written; correct the sheet and run it again")
    if job.can_go_on:
        return gettext("to go on: {command}", command=_go_on(pipeline, "resume", job.id))
    if job.counts.rejected and job.rejected_file is not None:
        return gettext("correct the rows in the file of rejected rows, and run that file")
    return ""


def _go_on(pipeline: Pipeline, verb: str, job: str) -> str:
    file = "" if pipeline.file is None else f" -p {shlex.quote(str(pipeline.file))}"
    return f"musterroll jobs {verb} {job}{file}"


def _tell(pipeline: Pipeline, started: dt.datetime, values: Mapping[str, str]) -> MusterrollError | None:
    """Sends the message; returns what went wrong first, where something did."""
    now = pipeline.clock()
    seconds = max(0, round((now - started).total_seconds()))
    message = Message(
        # Of each command its own: a job that is resumed ends twice.
        id=f"{values.get('job') or pipeline.name}-{now:%Y%m%d%H%M%S%f}-finished",
        purpose=Purpose.FINISHED,
        recipient=None,
        values={**values, "duration": str(dt.timedelta(seconds=seconds))},
    )
    # Whoever stops an import wants to hear of that as well.
    sending = replace(pipeline, cancelled=threading.Event())
    error: MusterrollError | None = None
    for instance in sending.notifiers:
        if Purpose.FINISHED not in instance.on:
            continue
        try:
            with sending.build_notifier(instance, read_only=False) as notifier:
                for sent in notifier.send(iter((message,))):
                    if sent.status is not SentStatus.SENT:
                        why = sent.detail or gettext("it does not say why")
                        error = error or NotifierError(
                            gettext("{notifier} did not tell how it ended: {why}", notifier=instance.label, why=why)
                        )
        except MusterrollError as failed:
            error = error or failed
    return error
