"""Makes a plan: the sheet is taken in, checked, planned against the backend, and stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

from musterroll.errors import Mistake, PipelineError
from musterroll.invites.policy import InvitePolicy
from musterroll.invites.sender import open_senders
from musterroll.journal import job as jobs
from musterroll.journal.job import JobRecord
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import Ledger
from musterroll.journal.plan import PlanStore
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.absent import AbsentUsers
from musterroll.plan.limits import counts_users
from musterroll.plan.sheet import SheetPlanner
from musterroll.portal.portal import Portal
from musterroll.portal.protection import Protection
from musterroll.progress import Progress
from musterroll.sheet.open_sheet import Intake
from musterroll.sheet.problem_log import ProblemLog


def make_plan(
    pipeline: Pipeline,
    intake: Intake,
    *,
    portal: Portal,
    ledger: Ledger,
    journal: Journal,
    job: JobRecord,
    log: ProblemLog,
    progress: Progress,
) -> None:
    """Reads, checks and plans the sheet, and stores the plan with its problems and counts.

    Args:
        pipeline: how.
        intake: the sheet; its counts are filled in.
        portal: only asked.
        ledger: who was created and invited before.
        journal: takes the plan, batch by batch.
        job: the job that the plan belongs to.
        log: takes the problems.
        progress: told how it goes on.

    Raises:
        MusterrollError: the plan could not be made; what is stored of it is worth nothing.
        KeyboardInterrupt: the person interrupted.
    """
    settings, store = pipeline.settings, PlanStore(journal, job.id)
    with ExitStack() as stack:
        senders = stack.enter_context(open_senders(pipeline, portal, read_only=True))
        stack.callback(journal.commit)
        planner = SheetPlanner(
            settings=settings,
            fields=pipeline.fields,
            portal=portal,
            ledger=ledger,
            invites=InvitePolicy(pipeline, senders, ledger),
            store=store,
            log=log,
            sheet_sha256=intake.source.sha256,
        )
        with journal.transaction():
            store.add_totals(users=count_users(pipeline, portal), groups=planner.group_count)
        _check_absent(pipeline, portal)
        progress.stage("Checking and planning")
        with intake.checked(log) as rows:
            _plan_in_batches(planner.plan(rows), pipeline, journal, progress)
        with journal.transaction():
            planner.finish()
        # With errors of the whole file nobody knows who is in it.
        if settings.absent != "keep" and not log.file_errors:
            absent = AbsentUsers(
                deactivates=settings.absent == "deactivate",
                portal=portal,
                roster=ledger.roster,
                protection=Protection(settings.protect),
                fields=pipeline.fields,
                store=store,
                log=log,
            )
            _plan_in_batches(absent.plan(planner.uncertain), pipeline, journal, progress)
        with journal.transaction():
            log.count_into(intake.counts, condemned=settings.on_error == "skip")
            store.add_problems(log)
            store.add_counts(intake.counts)
            jobs.set_sheet(journal, job.id, replace(intake.summary, path=job.sheet.path))


def _plan_in_batches(batches: Iterator[int], pipeline: Pipeline, journal: Journal, progress: Progress) -> None:
    """Commits every batch of a plan, and tells how many users it has."""
    journal.begin()
    for done in batches:
        journal.commit()
        progress.advance(done)
        stop_if_cancelled(pipeline)
        journal.begin()


def count_users(pipeline: Pipeline, portal: Portal) -> int | None:
    """How many users the portal has, where a limit is a percentage of them.

    Raises:
        PipelineError: the portal cannot say.
    """
    name = counts_users(pipeline.settings.limits)
    if name is None:
        return None
    users = portal.count_users()
    if users is None:
        text = "this portal cannot say how many users it has; write a whole number instead of a percentage"
        raise _mistake(pipeline, f"limits.{name}", text)
    return users


def _check_absent(pipeline: Pipeline, portal: Portal) -> None:
    if pipeline.settings.absent == "deactivate" and not portal.capabilities().deactivate:
        raise _mistake(pipeline, "absent", 'this portal cannot deactivate users; write "report" or "keep"')


def _mistake(pipeline: Pipeline, path: str, text: str) -> PipelineError:
    """A mistake in the pipeline that only the portal shows."""
    return PipelineError([Mistake(path, text, pipeline.file.name if pipeline.file else "standard")])


def stop_if_cancelled(pipeline: Pipeline) -> None:
    """Stops at once where the person interrupted: before the first write there is nothing to finish.

    Raises:
        KeyboardInterrupt: the person interrupted.
    """
    if pipeline.cancelled.is_set():
        raise KeyboardInterrupt
