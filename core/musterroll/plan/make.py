"""Makes a plan: the sheet is taken in, checked, planned against the backend, and stored."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from musterroll.errors import PipelineError
from musterroll.invites.choices import InviteChoices
from musterroll.invites.policy import InvitePolicy
from musterroll.invites.sender import open_senders
from musterroll.journal.job import JobKind
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.absent import AbsentUsers
from musterroll.plan.limits import Limits
from musterroll.plan.privileged import PRIVILEGED, count_privileged
from musterroll.plan.run import NewPlan
from musterroll.plan.sheet import SheetPlanner
from musterroll.portal.patterns import Patterns
from musterroll.portal.portal import Portal
from musterroll.sheet.open_sheet import OpenSheet, orders_of
from musterroll.sheet.scope import Scope


def make_plan(plan: NewPlan, sheet: OpenSheet, choices: InviteChoices | None = None) -> None:
    """Reads, checks and plans the sheet, and stores the plan with its problems and counts.

    Args:
        plan: takes it.
        sheet: the sheet; its counts are filled in.
        choices: counts whom other choices than the pipeline's would invite, where somebody wants to know.

    Raises:
        MusterrollError: the plan could not be made; what is stored of it is worth nothing.
        KeyboardInterrupt: the person interrupted.
    """
    pipeline, portal, journal, store = plan.run.pipeline, plan.portal, plan.job.journal, plan.job.plan
    settings, limits = pipeline.settings, Limits.of_sheet(pipeline)
    with ExitStack() as stack:
        senders = stack.enter_context(open_senders(pipeline, portal, read_only=True))
        stack.callback(journal.commit)
        if choices is not None:
            choices.begin(pipeline, senders, plan.ledger)
        _check_absent(pipeline, portal)
        plan.run.progress.stage("Checking and planning")
        with sheet.checked(plan.log) as batches:
            planner = SheetPlanner(
                settings=sheet.settings,
                fields=pipeline.fields,
                portal=portal,
                ledger=plan.ledger,
                invites=InvitePolicy(pipeline, senders, plan.ledger),
                choices=choices,
                store=store,
                log=plan.log,
                made_from=plan.job.record.made_from,
                keeps_inactive=sheet.keeps_inactive,
                settles=_is_never_compared(plan, limits),
                orders=orders_of(pipeline),
            )
            plan.job.planned_on = planner.planned_on
            users = count_users(pipeline, portal, limits)
            plan.store_batches(planner.plan(batches))
        with journal.transaction():
            planner.finish()
        # With errors of the whole file nobody knows who is in it.
        is_whole = sheet.summary.chosen is None
        if not is_whole:
            with journal.transaction():
                store.forget_digests()  # no sheet is compared with some rows of one
        if settings.absent != "keep" and settings.mode != "create" and is_whole and not plan.log.file_errors:
            absent = AbsentUsers(
                deactivates=settings.absent == "deactivate",
                portal=portal,
                roster=plan.ledger.roster,
                protection=Patterns(settings.protect),
                privileged=planner.privileged,
                scope=Scope(settings.scope),
                fields=pipeline.fields,
                store=store,
                log=plan.log,
            )
            plan.store_batches(absent.plan(planner.uncertain))
        if users is None and limits.may_stop(plan.job):  # some portals take long to count their users
            users = portal.count_users()
        skips = settings.on_error == "skip"
        if planner.privileged:
            plan.log.drop_warnings(PRIVILEGED, with_others=skips)
        with journal.transaction():
            privileged = count_privileged(plan.job, settings.privileged.groups)
            store.add_totals(
                users=users,
                groups=planner.group_count,
                privileged=privileged,
                hand_edits=store.count_hand_edits() if settings.hand_edits else None,
            )
            plan.store_problems(sheet.counts, with_others=skips)
            plan.job.set_sheet(replace(sheet.summary, path=plan.job.record.sheet.path))


def _is_never_compared(plan: NewPlan, limits: Limits) -> bool:
    """Whether this is no plan that is saved, or that a person may have to approve: it is made and carried out.

    One that a limit stops which nobody has set is compared after all; then settled rows count as what they are, rows of
    which nothing is to be done.
    """
    return plan.job.journal.path is not None and plan.job.record.kind is JobKind.RUN and not limits.are_set


def count_users(pipeline: Pipeline, portal: Portal, limits: Limits) -> int | None:
    """How many users the portal has, where a limit that somebody has set is a percentage of them.

    Raises:
        PipelineError: the portal cannot say.
    """
    name = limits.needs_users
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
    return PipelineError([pipeline.locate(tuple(path.split(".")), text)])
