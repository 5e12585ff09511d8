"""Makes a plan: the sheet is taken in, checked, planned against the backend, and stored."""

from __future__ import annotations

from dataclasses import replace

from musterroll.contract.roles import UserBackend
from musterroll.errors import Mistake, PipelineError
from musterroll.invites.policy import InvitePolicy
from musterroll.invites.senders import inviters
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.absent import Absentees
from musterroll.plan.limits import counts_users
from musterroll.plan.run import NewPlan
from musterroll.plan.sheet import Planner
from musterroll.portal.protection import Protection
from musterroll.sheet.open_sheet import Intake


def make_plan(plan: NewPlan, sheet: Intake) -> None:
    """Reads, checks and plans the sheet, and stores the plan with its problems and counts.

    Args:
        plan: takes it.
        sheet: the sheet; its counts are filled in.

    Raises:
        MusterrollError: the plan could not be made; what is stored of it is worth nothing.
        KeyboardInterrupt: the person interrupted.
    """
    pipeline, portal, journal, store = plan.run.pipeline, plan.portal, plan.job.journal, plan.job.plan
    settings = pipeline.settings
    notifiers = pipeline.build_notifiers(read_only=True)
    try:
        senders = inviters(settings.invites, notifiers, portal)
        planner = Planner(
            settings=settings,
            fields=pipeline.fields,
            backend=portal,
            ledger=plan.ledger,
            invites=InvitePolicy(settings.invites.send_to, senders, pipeline.clock()),
            store=store,
            log=plan.log,
            sheet_sha256=sheet.source.sha256,
        )
        with journal.transaction():
            store.add_totals(users=count_users(pipeline, portal), groups=planner.group_count)
        _check_absent(pipeline, portal)
        plan.run.progress.stage("Checking and planning")
        with sheet.checked(plan.log) as rows:
            plan.store_batches(planner.plan(rows))
        with journal.transaction():
            planner.finish()
        # With errors of the whole file nobody knows who is in it.
        if settings.absent != "keep" and not plan.log.file_errors:
            absentees = Absentees(
                deactivates=settings.absent == "deactivate",
                backend=portal,
                roster=plan.ledger.roster,
                protection=Protection(settings.protect),
                fields=pipeline.fields,
                store=store,
                log=plan.log,
            )
            plan.store_batches(absentees.plan(planner.unplaced))
        with journal.transaction():
            plan.store_problems(sheet.counts, with_others=settings.on_error == "skip")
            plan.job.set_sheet(replace(sheet.summary, path=plan.job.record.sheet.path))
    finally:
        journal.commit()
        for _, notifier in notifiers:
            notifier.close()


def count_users(pipeline: Pipeline, backend: UserBackend) -> int | None:
    """How many users the portal has, where a limit is a percentage of them.

    Raises:
        PipelineError: the portal cannot say.
    """
    name = counts_users(pipeline.settings.limits)
    if name is None:
        return None
    users = backend.count_users()
    if users is None:
        text = "this portal cannot say how many users it has; write a whole number instead of a percentage"
        raise _mistake(pipeline, f"limits.{name}", text)
    return users


def _check_absent(pipeline: Pipeline, backend: UserBackend) -> None:
    if pipeline.settings.absent == "deactivate" and not backend.capabilities().deactivate:
        raise _mistake(pipeline, "absent", 'this portal cannot deactivate users; write "report" or "keep"')


def _mistake(pipeline: Pipeline, path: str, text: str) -> PipelineError:
    """A mistake in the pipeline that only the portal shows."""
    return PipelineError([Mistake(path, text, pipeline.file.name if pipeline.file else "standard")])
