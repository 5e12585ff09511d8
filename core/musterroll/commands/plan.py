"""`plan`: what would change, and nothing written but the plan itself, where it is to be kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from musterroll.commands.job import new_job
from musterroll.commands.run import lasting_summary
from musterroll.contract.translation import gettext, gettext_noop
from musterroll.errors import RefusedError
from musterroll.invites.choices import InviteChoices
from musterroll.journal.first_passwords import FirstPasswords
from musterroll.journal.job import JobKind
from musterroll.journal.journal import Journal
from musterroll.pipeline.pipeline import Pipeline
from musterroll.pipeline.settings import SendTo
from musterroll.plan.expected import Expected, unexpected
from musterroll.plan.limits import Limits, limit_refusal
from musterroll.plan.make import make_plan
from musterroll.plan.run import NewPlan, Run
from musterroll.plan.saved.target import PlanTarget, save_plan
from musterroll.plan.summary import summarise
from musterroll.progress import SILENT, Progress
from musterroll.reports.report import InviteChoice, Outcome, Report
from musterroll.sheet.chosen import ChosenRows
from musterroll.sheet.open_sheet import OpenSheet
from musterroll.sheet.summary import SheetSummary

_GOING_ON = gettext_noop("`run` will refuse this, and say how to let it through")


def plan(
    pipeline: Pipeline,
    sheet: Path,
    *,
    save_to: PlanTarget | None = None,
    with_choices: bool = False,
    chosen: ChosenRows | None = None,
    expected: Sequence[Expected] = (),
    progress: Progress = SILENT,
) -> Report:
    """Says what would change against the live backend; writes nothing. `chosen` and `expected` are as for `run`.

    With `save_to` the plan is kept, to be applied later; not one whose errors keep everything out. With `with_choices`
    the report also tells how many invites every choice of `send_to` would send, and how many first passwords that no
    invite tells it would leave.
    """
    if save_to is not None:
        save_to.check()
    opened, choices = OpenSheet(pipeline, sheet, chosen), InviteChoices() if with_choices else None
    with ExitStack() as stack:
        made = stack.enter_context(temporary_plan_of_sheet(pipeline, opened, progress, choices=choices))
        refusal, saved, all_out = None, None, made.keeps_all_out
        if not all_out:
            refusal = unexpected(expected, made.job) or _refusal(made)
            if save_to is not None:
                saved = save_plan(save_to, pipeline, made.job, made.log)
        return Report(
            command="plan",
            outcome=Outcome.REFUSED if refusal else Outcome.PROBLEMS if made.log.errors else Outcome.OK,
            error=refusal,
            pipeline=pipeline.name,
            profile=pipeline.profile,
            sheet=opened.summary,
            counts=opened.counts,
            problems=lambda: made.log,
            changes=made.job.plan.changes,
            does_anything=not all_out and summarise(made.job, portal="").does_anything,
            groups_to_create=made.job.plan.groups_to_create(),
            invite_choices={} if all_out or choices is None else _judged(choices, made, refusal),
            privileged=made.job.plan.privileged(),
            hand_edits=made.job.plan.hand_edits(),
            keeps_all_out=all_out,
            saved=saved,
            close=stack.pop_all().close,
        )


def temporary_plan_of_sheet(
    pipeline: Pipeline,
    sheet: OpenSheet,
    progress: Progress,
    *,
    earlier: Journal | None = None,
    choices: InviteChoices | None = None,
) -> AbstractContextManager[NewPlan]:
    """Plans a sheet as `temporary_plan` does."""
    summary = lasting_summary(sheet)
    return temporary_plan(pipeline, summary, lambda plan: make_plan(plan, sheet, choices), progress, earlier=earlier)


def _refusal(made: NewPlan, invites: int | None = None) -> RefusedError | None:
    limits = Limits.of_sheet(made.run.pipeline)
    return limit_refusal(limits, made.job, made.ledger.roster, gettext(_GOING_ON), invites=invites)


def _judged(choices: InviteChoices, made: NewPlan, refusal: RefusedError | None) -> dict[SendTo, InviteChoice]:
    """The choices with what the limits say to them; `refusal` is what they say to the plan."""
    on_paper, is_limited = choices.without_invite(_first_passwords(made)), made.run.pipeline.settings.limits.invite
    return {
        choice: InviteChoice(sends, refusal if is_limited is None else _refusal(made, sends), on_paper[choice])
        for choice, sends in choices.counts.items()
    }


def _first_passwords(made: NewPlan) -> Iterator[int]:
    """The rows whose users get a password that is made; none where the portal does nothing with it."""
    if made.run.pipeline.settings.sheet.make.password is not None and made.portal.capabilities().uses_passwords:
        yield from FirstPasswords(made.job.journal, made.job.id).rows()


@contextmanager
def temporary_plan(
    pipeline: Pipeline,
    sheet: SheetSummary,
    make: Callable[[NewPlan], object],
    progress: Progress,
    *,
    kind: JobKind = JobKind.RUN,
    earlier: Journal | None = None,
) -> Iterator[NewPlan]:
    """Makes a plan against the live backend in a temporary journal, which leaves no trace.

    Args:
        pipeline: how.
        sheet: what the plan is of.
        make: makes it.
        progress: told how it goes on.
        kind: what the job would do.
        earlier: the pipeline's journal, where it is open; else it is looked at.
    """
    with ExitStack() as stack:
        journal = Journal.temporary()
        stack.callback(journal.close)
        if earlier is None and (earlier := Journal.look(pipeline.state, pipeline.name)) is not None:
            stack.callback(earlier.close)
        run = Run(pipeline, journal, "plan", progress, earlier=earlier)
        made = stack.enter_context(new_job(run, sheet, make, kind=kind))
        stack.callback(made.log.close)
        yield made
