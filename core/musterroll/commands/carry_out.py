"""Carries a stored plan out: opens the backend for writing, executes, invites, and says how it ended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from musterroll.commands.hand_over import tell_passwords
from musterroll.contract.fields import PASSWORD
from musterroll.contract.secret import Secret
from musterroll.contract.translation import gettext
from musterroll.errors import BackendError, BackendUnavailableError, MusterrollError, RefusedError, as_error
from musterroll.execute.answers import JobContext
from musterroll.execute.executor import Executor, settle_former_creations
from musterroll.execute.operations import NotPossibleError
from musterroll.execute.passwords import Passwords
from musterroll.invites.sender import InviteSender, open_senders
from musterroll.journal.job import Job, JobKind, JobRecord, JobState
from musterroll.journal.jobs import perhaps_in_doubt
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import Ledger
from musterroll.journal.operations import PlannedUser
from musterroll.journal.outcomes import JobCounts, JobOutcome, unfinished_rows
from musterroll.journal.roster import Roster
from musterroll.journal.sheet_parts import unsettle
from musterroll.journal.unchanged import pack_unchanged
from musterroll.pipeline.first_passwords import PasswordMaker
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.run import Run
from musterroll.plan.same_parts import left_as
from musterroll.portal.portal import Portal
from musterroll.sheet.identities import makes_usernames
from musterroll.sheet.open_sheet import OpenSheet

_ENDED = frozenset({JobState.COMPLETED, JobState.COMPLETED_WITH_ERRORS})


def carry_out(run: Run, job: Job, sheet: Path) -> MusterrollError | None:
    """Carries out what is open of a job's plan, and stores how it ended.

    Args:
        run: the command; it holds the lock.
        job: the job.
        sheet: where the sheet is now, for its passwords.

    Returns:
        What stopped it, where something did.

    Raises:
        MusterrollError: it could not even begin; nothing was written.
    """
    pipeline, journal, sha256 = run.pipeline, job.journal, job.record.sheet.sha256
    error: MusterrollError | None = None
    has_ended = False
    try:
        with (
            pipeline.build_backend(read_only=False) as portal,
            _passwords(pipeline, portal, sheet, sha256) as passwords,
            open_senders(pipeline, portal, read_only=False) as senders,
        ):
            planned_on = job.planned_on
            is_alone = planned_on is not None and planned_on == portal.state_of_users()
            context = _context(pipeline, job, portal)
            if context.makes_usernames or context.keeps_values:
                _note_before_writing(journal, context)
            try:
                Executor(context, journal, portal, passwords, run.progress).run()
                tell_passwords(run, job, passwords, portal)
                sender = InviteSender(pipeline, journal, context.identity, run.progress, passwords.made)
                sender.run_job(job.id, senders)
            except Exception as stopped:
                journal.commit()
                if not job.operations.anything_handed_over():
                    raise
                error = as_error(stopped)
            _end(run, job, error, left=_left(portal, job) if is_alone else None)
            has_ended = True
    except MusterrollError as failed:
        if not has_ended:
            raise
        return error or failed  # one of them could not be closed
    return error


def _note_before_writing(journal: Journal, context: JobContext) -> None:
    """Keeps a made username for its person, and takes over what users are known to have, before the first write."""
    ledger = Ledger(journal, context.pipeline, context.identity)
    with journal.transaction():
        if context.makes_usernames:
            ledger.names.note(context.job)
        if context.keeps_values:
            ledger.last_values.take_over(context.job)


def _passwords(pipeline: Pipeline, portal: Portal, sheet: Path, sha256: str) -> Passwords:
    """The passwords of the sheet, which is not read a second time for a portal that does nothing with them."""
    # The portal is asked when they are wanted: before that, one that is away has stopped nothing.
    made = pipeline.settings.sheet.make.password is not None
    return Passwords(
        None if made and pipeline.fields[PASSWORD].omitted else lambda: OpenSheet(pipeline, sheet).passwords(sha256),
        lambda: portal.capabilities().uses_passwords,
        _maker(pipeline) if made else None,
    )


def _maker(pipeline: Pipeline) -> Callable[[PlannedUser], Secret]:
    """Makes first passwords."""
    maker = PasswordMaker(pipeline)

    def make(user: PlannedUser) -> Secret:
        made = maker.make(user.username, user.after)
        if isinstance(made, Secret):
            return made
        raise NotPossibleError(gettext("no password that is made meets the rules: {why}", why=made.message))

    return make


def _left(portal: Portal, job: Job) -> str | None:
    """The state that a job leaves behind; None where others have made it what it is."""
    left = _state(portal)
    # Whoever has written knows whether others did so meanwhile; of one that has not, it must be the state of before.
    return left if left == job.planned_on or job.operations.any_begun() else None


def _state(portal: Portal) -> str | None:
    """The state of the portal at the end; it is no reason for a job to fail that it can do everything but tell."""
    with suppress(BackendError):
        return portal.state_of_users()
    return None


def _end(run: Run, job: Job, error: MusterrollError | None, *, left: str | None) -> None:
    """Stores how a job ended, and what the ledger and the roster are to know of it, all at once.

    Args:
        run: the command.
        job: the job.
        error: what stopped it, where something did.
        left: the state that the portal is left in; None where others may have changed it since the plan was made, too.
    """
    pipeline, journal = run.pipeline, job.journal
    with journal.transaction():
        outcome, record = job.keep_outcome(), job.record
        state = final_state(job, outcome, error, interrupted=pipeline.cancelled.is_set())
        ledger = Ledger(journal, record.pipeline, record.identity)
        ledger.keep_job(job.id, is_undo=record.kind is JobKind.UNDO)
        if makes_usernames(pipeline.fields):
            ledger.names.note(job.id)
        _keep_sheet(ledger.roster, record, state)
        if left is not None and state in _ENDED and record.sheet.chosen is None:
            _note_left(job, record, ledger.roster, outcome.rows, left)
        job.end(state, pipeline.clock(), error.message if error else None)
        if record.undoes is not None:
            Job(journal, record.undoes).set_undone(by=state)
        if state in _ENDED and record.kind is not JobKind.INVITE:
            pack_unchanged(journal, job.id)
    journal.give_room_back()


def _keep_sheet(roster: Roster, job: JobRecord, state: JobState) -> None:
    """The sheet of a job that went to its end is the last completed one; that of a job that was taken back is not.

    Of a sheet of which some rows were chosen nobody knows whom else it names.
    """
    if state not in _ENDED or job.sheet.chosen is not None:
        return
    if job.kind in (JobKind.RUN, JobKind.APPLY):
        roster.take_over(job.id)
    elif job.kind is JobKind.UNDO and job.undoes is not None:
        roster.forget(job.undoes)


def _note_left(job: Job, record: JobRecord, roster: Roster, counts: JobCounts, left: str) -> None:
    """Notes how the job leaves portal and journal, so that the next sheet's rows need no look as long as that is so."""
    if counts.rejected or counts.failed or counts.unknown or counts.not_attempted:
        unsettle(job.journal, job.id, unfinished_rows(job.journal, job.id))
    roster.note_left(left_as(left, record.made_from, roster.salt))


def _context(pipeline: Pipeline, job: Job, portal: Portal) -> JobContext:
    identity = portal.identity()
    began_on = job.record.identity
    if identity != began_on:
        # A directory gets its identity when it is created, which is now; afterwards it must not differ.
        if job.operations.anything_handed_over():
            raise RefusedError(
                gettext(
                    "this job was begun on another portal ({former}, now {portal})",
                    former=began_on,
                    portal=identity,
                ),
                code="backend.changed",
            )
        with job.journal.transaction():
            job.set_identity(identity)
    return _job_context(pipeline, job.record)


def _job_context(pipeline: Pipeline, job: JobRecord) -> JobContext:
    return JobContext(
        job=job.id,
        pipeline=pipeline.name,
        identity=job.identity,
        sheet_sha256=job.sheet.sha256,
        resets=pipeline.settings.password.on_existing == "reset",
        makes_usernames=makes_usernames(pipeline.fields),
        keeps_values=bool(pipeline.settings.hand_edits),
        clock=pipeline.clock,
        cancelled=pipeline.cancelled,
    )


def final_state(job: Job, outcome: JobOutcome, error: MusterrollError | None, *, interrupted: bool) -> JobState:
    """Says where a job stands that has gone as far as it could."""
    if isinstance(error, BackendUnavailableError):
        return JobState.PAUSED
    if error is not None:
        return JobState.FAILED
    if interrupted:
        return JobState.INTERRUPTED
    rows, invites = outcome
    bad = rows.rejected or rows.failed or rows.unknown or invites.failed or invites.held or job.record.counts.errors
    bad = bad or job.operations.any_failed()  # a group that could not be deleted is no row's
    return JobState.COMPLETED_WITH_ERRORS if bad else JobState.COMPLETED


def settle_former_jobs(run: Run, identity: str, portal: Portal) -> None:
    """Finds out which users the jobs created that were cut off before they heard the answer."""
    for former in perhaps_in_doubt(run.journal, identity):
        settle_former_creations(run.journal, _job_context(run.pipeline, former.record), portal)
