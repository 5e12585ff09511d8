"""`invites send`: invites those of the ledger who are due, as a job of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from musterroll.commands.beginning import discard_unwritten, enter_job, job_record
from musterroll.commands.job import Confirm, agreed, working
from musterroll.contract.text import did_you_mean, fold
from musterroll.errors import UsageError
from musterroll.invites.without_a_sheet import Invitee, plan_invitees
from musterroll.journal import job as jobs
from musterroll.journal.change import FIRST_OFF_SHEET_ROW, Action, Change, PasswordAction
from musterroll.journal.invites import InviteState
from musterroll.journal.job import JobKind, JobRecord
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import Ledger, LedgerEntry, LedgerUser
from musterroll.journal.plan import PlanStore
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.make import stop_if_cancelled
from musterroll.portal.portal import Portal
from musterroll.progress import SILENT, Progress
from musterroll.reports.invites import listed_of_job
from musterroll.reports.report import ListedInvite, Outcome, Report
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
    with working(pipeline, journal, confirm=confirm, progress=progress) as work:
        job: JobRecord | None = None
        try:
            with pipeline.build_backend(read_only=True) as backend:
                job = enter_job(pipeline, journal, _new_job(pipeline, backend), backend)
                ledger = Ledger(journal, pipeline.name, job.identity)
                considered = _considered(pipeline, ledger, users, resend=resend)
                due = _plan(pipeline, considered, backend, ledger, journal, job, resend=resend, progress=progress)
            listing = _listing(pipeline, journal, job, ledger)
            if due:
                report = work.go_ahead(job, Path(), _COMMAND)
                report.invites = listing
                return report
            # Not worth a job, but worth remembering why.
            lines = tuple(listing())
            with journal.transaction():
                ledger.keep_uninvited(job.id)
                jobs.discard_job(journal, job.id)
            return _report(pipeline, lambda: lines, journal.close)
        except BaseException:
            if job is not None:
                discard_unwritten(journal, job)
            raise


def preview_invites(
    pipeline: Pipeline, *, users: Sequence[str] = (), resend: bool = False, progress: Progress = SILENT
) -> Report:
    """Says whom `send_invites` would invite, and why not; writes and sends nothing."""
    with ExitStack() as stack:
        staging = Journal.temporary()
        stack.callback(staging.close)
        state = Journal.look(pipeline.state, pipeline.name)
        if state is not None:
            stack.callback(state.close)
        with pipeline.build_backend(read_only=True) as backend:
            job = _new_job(pipeline, backend)
            jobs.insert_job(staging, job)
            ledger = Ledger(state or staging, pipeline.name, job.identity)
            considered = _considered(pipeline, ledger, users, resend=resend)
            _plan(pipeline, considered, backend, ledger, staging, job, resend=resend, progress=progress)
        return _report(pipeline, _listing(pipeline, staging, job, ledger), stack.pop_all().close)


def _new_job(pipeline: Pipeline, backend: Portal) -> JobRecord:
    return job_record(pipeline, backend, _NO_SHEET, SheetCounts(), kind=JobKind.INVITE)


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
        hint = did_you_mean(wanted[name], (user.username for user in ledger.users()))
        raise UsageError(
            f'this pipeline has had no user "{wanted[name]}" in a sheet{hint}; `musterroll invites list` shows all',
            code="invite.unknown_user",
        )
    return found


def _plan(
    pipeline: Pipeline,
    users: Iterable[LedgerUser],
    backend: Portal,
    ledger: Ledger,
    journal: Journal,
    job: JobRecord,
    *,
    resend: bool,
    progress: Progress,
) -> int:
    """Stores who is invited, and why others are not; returns how many are."""
    store = PlanStore(journal, job.id)
    progress.stage("Looking users up")
    rows = due = 0
    for batch in plan_invitees(pipeline, backend, users, ledger=ledger, resend=resend):
        with journal.transaction():
            for invitee in batch:
                _store(store, FIRST_OFF_SHEET_ROW + rows, invitee)
                rows += 1
                due += invitee.decision.send
            store.flush()
        progress.advance(len(batch))
        stop_if_cancelled(pipeline)
    with journal.transaction():
        store.add_counts(SheetCounts(rows=rows, valid=rows))
    return due


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


def _listing(
    pipeline: Pipeline, journal: Journal, job: JobRecord, ledger: Ledger
) -> Callable[[], Iterator[ListedInvite]]:
    return lambda: listed_of_job(job.id, PlanStore(journal, job.id).changes(), ledger, pipeline.clock())


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
