"""`invites send`: invites those of the ledger who are due, as a job of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from musterroll.commands.job import execute_plan, locked, new_job
from musterroll.commands.plan import temporary_plan
from musterroll.contract.text import fold, meant_perhaps
from musterroll.contract.translation import gettext
from musterroll.errors import UsageError
from musterroll.invites.without_a_sheet import Invitee, plan_invitees
from musterroll.journal.change import FIRST_OFF_SHEET_ROW, Action, Change, PasswordAction
from musterroll.journal.invites import InviteState
from musterroll.journal.job import JobKind
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import Ledger, LedgerEntry, LedgerUser
from musterroll.journal.plan import PlanStore
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.run import Confirm, NewPlan, Run, agreed
from musterroll.plan.summary import count_stored
from musterroll.progress import SILENT, Progress
from musterroll.reports.invites import listed_of_job
from musterroll.reports.report import Outcome, Report
from musterroll.reports.summaries import ListedInvite
from musterroll.sheet.summary import SheetCounts, SheetSummary

_COMMAND = "invites send"
_NO_SHEET = SheetSummary(path="", sha256="", format="", reader="", sheet=None)


def send_invites(
    pipeline: Pipeline,
    *,
    users: Sequence[str] = (),
    resend: bool = False,
    confirm: Confirm = agreed,
    progress: Progress = SILENT,
) -> Report:
    """Invites everybody who is due: created by this pipeline and never invited, or the last invite failed or expired.

    Where the pipeline invites `all` or `pending`, those whom its sheets only updated are meant as well.

    Args:
        pipeline: how; `send_to = "none"` does not stop what is asked for.
        users: only these, by username.
        resend: those whose invite is alive, too.
        confirm: asked once, and only where there is something to send.
        progress: told how it goes on.

    Raises:
        UsageError: a name that the ledger does not know.
    """
    journal = Journal.open_existing(pipeline.state, pipeline.name)
    if journal is None:  # nobody is known, so nobody is due
        return preview_invites(pipeline, users=users)
    run = Run(pipeline, journal, _COMMAND, progress, confirm)
    with locked(run), new_job(run, _NO_SHEET, _planner(users, resend=resend), kind=JobKind.INVITE) as plan:
        listing = _listing(plan)
        if count_stored(plan.job, "row", "invite IS NOT NULL"):
            report = execute_plan(run, plan.job, Path())
            report.invites = listing
            return report
        # Not worth a job, but worth remembering why.
        lines = tuple(listing())
        with journal.transaction():
            plan.ledger.keep_uninvited(plan.job.id)
            plan.job.discard()
        return _report(pipeline, lambda: lines, journal.close)


def preview_invites(
    pipeline: Pipeline, *, users: Sequence[str] = (), resend: bool = False, progress: Progress = SILENT
) -> Report:
    """Says whom `send_invites` would invite, and why not; writes and sends nothing."""
    make = _planner(users, resend=resend)
    with ExitStack() as stack:
        plan = stack.enter_context(temporary_plan(pipeline, _NO_SHEET, make, progress, kind=JobKind.INVITE))
        return _report(pipeline, _listing(plan), stack.pop_all().close)


def _considered(pipeline: Pipeline, ledger: Ledger, names: Sequence[str], *, resend: bool) -> Iterable[LedgerUser]:
    """Returns those of the ledger whom it is worth to ask the portal about."""
    if names:
        return _named(ledger, names)
    now = pipeline.clock()
    everybody = pipeline.settings.invites.send_to in ("all", "pending")

    def is_worth_it(entry: LedgerEntry) -> bool:
        standing = entry.standing(now)
        if standing is InviteState.NEVER:
            return entry.created or everybody
        return resend or standing is not InviteState.SENT

    return (user for user in ledger.users() if is_worth_it(user.entry))


def _named(ledger: Ledger, names: Sequence[str]) -> list[LedgerUser]:
    wanted = {fold(name): name for name in names}
    found = [user for user in ledger.users() if fold(user.username) in wanted]
    for name in wanted.keys() - {fold(user.username) for user in found}:
        near = meant_perhaps(wanted[name], (user.username for user in ledger.users()))
        raise UsageError(
            gettext(
                'this pipeline has had no user "{user}" in a sheet{near}; `musterroll invites list` shows all',
                user=wanted[name],
                near=near,
            ),
            code="invite.unknown_user",
        )
    return found


def _planner(users: Sequence[str], *, resend: bool) -> Callable[[NewPlan], None]:
    """Stores who is invited, and why others are not."""

    def make(plan: NewPlan) -> None:
        pipeline, store = plan.run.pipeline, plan.job.plan
        considered = _considered(pipeline, plan.ledger, users, resend=resend)
        plan.run.progress.stage("Looking users up")
        rows = 0
        for batch in plan_invitees(pipeline, plan.portal, considered, ledger=plan.ledger, resend=resend):
            with plan.job.journal.transaction():
                for row, invitee in enumerate(batch, FIRST_OFF_SHEET_ROW + rows):
                    _store(store, row, invitee)
                store.flush()
            rows += len(batch)
            plan.run.progress.advance(len(batch))
            plan.run.pipeline.stop_if_cancelled()
        with plan.job.journal.transaction():
            store.add_counts(SheetCounts(rows=rows, valid=rows))
        plan.log.close()

    return make


def _store(store: PlanStore, number: int, invitee: Invitee) -> None:
    store.add(
        Change(
            row=None,
            number=number,
            username=invitee.recipient.username if invitee.recipient else invitee.user.username,
            action=Action.UNCHANGED,
            password=PasswordAction.KEEP,
            invite=invitee.decision,
            ref=invitee.user.ref,
        )
    )


def _listing(plan: NewPlan) -> Callable[[], Iterator[ListedInvite]]:
    job = plan.job
    return lambda: listed_of_job(job.id, job.plan.changes(), plan.ledger, plan.run.pipeline.clock())


def _report(pipeline: Pipeline, invites: Callable[[], Iterable[ListedInvite]], close: Callable[[], None]) -> Report:
    """The report where nothing was sent."""
    return Report(
        command=_COMMAND,
        outcome=Outcome.OK,
        pipeline=pipeline.name,
        profile=pipeline.profile,
        invites=invites,
        close=close,
    )
