"""Makes a plan: the sheet is taken in, checked, planned against the backend, and stored."""

from __future__ import annotations

from dataclasses import replace

from musterroll.intake import Intake
from musterroll.inviters import inviters
from musterroll.journal import jobs
from musterroll.journal.jobs import JobRecord
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import Ledger
from musterroll.journal.plan_store import PlanStore
from musterroll.pipeline.pipeline import Pipeline
from musterroll.planning.invites import InvitePolicy
from musterroll.planning.planner import Planner
from musterroll.plugin.guarding import guarded
from musterroll.plugin.roles import UserBackend
from musterroll.problem_log import ProblemLog
from musterroll.progress import Progress


def make_plan(
    pipeline: Pipeline,
    intake: Intake,
    *,
    backend: UserBackend,
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
        backend: the portal; only asked.
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
    notifiers = pipeline.build_notifiers()
    try:
        planner = Planner(
            settings=settings,
            fields=pipeline.fields,
            backend=backend,
            ledger=ledger,
            invites=InvitePolicy(
                settings.invites.send_to, inviters(settings.invites, notifiers, backend), pipeline.clock()
            ),
            store=store,
            log=log,
            sheet_sha256=intake.source.sha256,
        )
        progress.stage("Checking and planning")
        with intake.checked(log) as rows:
            journal.begin()
            for done in planner.plan(rows):
                journal.commit()
                progress.advance(done)
                stop_if_cancelled(pipeline)
                journal.begin()
        with journal.transaction():
            planner.finish()
            log.count_into(intake.counts, condemned=settings.on_error == "skip")
            store.add_problems(log)
            store.add_counts(intake.counts)
            jobs.set_sheet(journal, job.id, replace(intake.summary, path=job.sheet.path))
    finally:
        journal.commit()
        for instance, notifier in notifiers:
            with guarded(instance.label, "closing"):
                notifier.close()


def stop_if_cancelled(pipeline: Pipeline) -> None:
    """Stops at once where the person interrupted: before the first write there is nothing to finish.

    Raises:
        KeyboardInterrupt: the person interrupted.
    """
    if pipeline.cancelled.is_set():
        raise KeyboardInterrupt
