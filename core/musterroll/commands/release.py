"""`invites release`: lets go of invites that are held, because nobody knew whether they had gone out."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from musterroll.commands.beginning import planning_backend
from musterroll.commands.carry_out import final_state, make_inviter
from musterroll.commands.job import working
from musterroll.contract.text import fold
from musterroll.errors import MusterrollError, RefusedError, UsageError
from musterroll.invites.senders import inviters
from musterroll.invites.without_a_sheet import Invitee, plan_invitees
from musterroll.journal import job as jobs
from musterroll.journal.invites import DueInvite, InviteStore
from musterroll.journal.job import JobState
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import NOBODY, InviteState, KnownUser, Ledger
from musterroll.journal.outcomes import count_invites, count_rows, keep_outcome
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.make import stop_if_cancelled
from musterroll.progress import SILENT, Progress
from musterroll.registry.plugin_errors import guarded
from musterroll.reports.invites import listed, portals_of
from musterroll.reports.report import InviteStanding, Outcome, Report

_NAMED = 10  # so many names a message lists


def release_invites(
    pipeline: Pipeline,
    names: Sequence[str] = (),
    *,
    as_sent: bool = False,
    confirm: Callable[[int], bool] = lambda invites: True,
    progress: Progress = SILENT,
) -> Report:
    """Sends held invites again, each with the id that its message had, so that a receiver can tell it is the same.

    What cannot be sent, or is cut off again, stays held.

    Args:
        pipeline: whose ledger it is.
        names: whose invites, by username; everybody's without any.
        as_sent: nothing is sent: they have arrived, the person has made sure.
        confirm: asked with the number of messages, where there are any to send.
        progress: told how it goes on.

    Raises:
        UsageError: a user's invite is not held.
        RefusedError: the person declined.
    """
    journal = Journal.open_existing(pipeline.state, pipeline.name)
    if journal is None:
        return _report(pipeline, _chosen((), names), {}, None, lambda: None)
    with working(pipeline, journal, progress=progress):
        identity = _identity(pipeline, journal)
        ledger = Ledger(journal, pipeline.name, identity)
        chosen = _chosen([user for user in ledger.users() if user.entry.invite is InviteState.HELD], names)
        error: MusterrollError | None = None
        against: dict[str, str | None] = {}
        if as_sent:
            _note_arrived(pipeline, journal, identity, chosen)
        elif chosen:
            due, against = _look_up(pipeline, chosen, progress)
            if due.count and not confirm(due.count):
                raise RefusedError("declined; nothing was sent", code="declined")
            error = _send(pipeline, journal, identity, due, progress)
        with journal.transaction():
            _count_again(journal, {user.entry.job for user in chosen})
        entries = ledger.entries(user.ref for user in chosen)
        chosen = [replace(user, entry=entries.get(user.ref, NOBODY)) for user in chosen]
        return _report(pipeline, chosen, against, error, journal.close)


def _identity(pipeline: Pipeline, journal: Journal) -> str:
    """Returns which portal is meant; where it cannot be asked, the only one that the journal knows."""
    portals = portals_of(pipeline, journal)
    if portals.unreachable is not None and len(portals.identities) != 1:
        raise portals.unreachable
    return portals.identities[0]


def _chosen(held: Sequence[KnownUser], names: Sequence[str]) -> Sequence[KnownUser]:
    if not names:
        return held
    wanted = {fold(name): name for name in names}
    for name in wanted.keys() - {fold(user.username) for user in held}:
        known = ", ".join(user.username for user in held[:_NAMED])
        more = f" and {len(held) - _NAMED} more" if len(held) > _NAMED else ""
        what = f"held are those of {known}{more}" if held else "none is held at all"
        raise UsageError(f'no invite of "{wanted[name]}" is held; {what}', code="invite.not_held")
    return [user for user in held if fold(user.username) in wanted]


def _note_arrived(pipeline: Pipeline, journal: Journal, identity: str, chosen: Sequence[KnownUser]) -> None:
    store, now = InviteStore(journal, pipeline.name, identity), pipeline.clock()
    expires = now + dt.timedelta(days=pipeline.settings.invites.valid_days)
    with journal.transaction():
        for user in chosen:
            store.settle(user.entry.message, InviteState.SENT, sent=now, expires=expires, detail=None)


class _Due:
    """The messages that are to be sent again, by notifier."""

    def __init__(self) -> None:
        self._invites: defaultdict[str, list[DueInvite]] = defaultdict(list)

    @property
    def count(self) -> int:
        return sum(map(len, self._invites.values()))

    def add(self, held: KnownUser, invitee: Invitee) -> None:
        assert invitee.recipient is not None
        assert invitee.decision.notifier is not None
        mine = self._invites[invitee.decision.notifier]
        mine.append(
            DueInvite(
                job=held.entry.job,
                row=len(mine),
                message=held.entry.message,
                channel=invitee.decision.channel or "",
                recipient=invitee.recipient,
                was=InviteState.HELD,
                why=held.entry.detail,
            )
        )

    def __call__(self, notifier: str, after: int, limit: int) -> list[DueInvite]:
        return self._invites[notifier][after + 1 : after + 1 + limit]


def _look_up(pipeline: Pipeline, held: Sequence[KnownUser], progress: Progress) -> tuple[_Due, dict[str, str | None]]:
    """Looks the users up as they are now; returns what to send, and why others cannot be invited, by ref."""
    progress.stage("Looking users up")
    due, against = _Due(), dict[str, str | None]()
    # That the last invite is held is no reason against what is to be released.
    asked = (replace(user, entry=NOBODY) for user in held)
    with planning_backend(pipeline) as backend:
        invitees = (one for batch in plan_invitees(pipeline, backend, asked) for one in batch)
        for user, invitee in zip(held, invitees, strict=True):
            if invitee.decision.send:
                due.add(user, invitee)
            else:
                against[user.ref] = invitee.decision.reason
    stop_if_cancelled(pipeline)
    return due, against


def _send(pipeline: Pipeline, journal: Journal, identity: str, due: _Due, progress: Progress) -> MusterrollError | None:
    """Sends; returns what went wrong with a notifier."""
    settings = pipeline.settings.invites
    with ExitStack() as stack:
        notifiers = pipeline.build_notifiers()
        for instance, notifier in notifiers:
            stack.enter_context(_closing(instance.label, notifier.close))
        # Nothing is written to the portal, unless it is the one who invites.
        backend = pipeline.build_backend(read_only=settings.by != "backend")
        stack.enter_context(_closing("backend", backend.close))
        try:
            make_inviter(pipeline, journal, identity, progress).run(due, inviters(settings, notifiers, backend))
        except MusterrollError as error:
            journal.commit()
            return error
    return None


@contextmanager
def _closing(label: str, close: Callable[[], None]) -> Iterator[None]:
    try:
        yield
    finally:
        with guarded(label, "closing"):
            close()


def _count_again(journal: Journal, changed: set[str]) -> None:
    """Brings the counts of jobs up to date whose invites were released; a forgotten job has none."""
    for job in [job for job in jobs.list_jobs(journal) if job.id in changed]:
        rows, invites = count_rows(journal, job.id, executed=True), count_invites(journal, job.id)
        keep_outcome(journal, job.id, rows, invites)
        if job.state is JobState.COMPLETED_WITH_ERRORS:
            state = final_state(journal, job, rows, invites, None, interrupted=False)
            jobs.set_state(journal, job.id, state, finished=job.finished, error=job.error)


def _report(
    pipeline: Pipeline,
    users: Sequence[KnownUser],
    against: dict[str, str | None],
    error: MusterrollError | None,
    close: Callable[[], None],
) -> Report:
    now = pipeline.clock()
    lines = [listed(user.username, user.entry, now) for user in users]
    lines = [replace(line, reason=against.get(user.ref, line.reason)) for user, line in zip(users, lines, strict=True)]
    outcome = Outcome.OK
    if error is not None or any(line.state is InviteStanding.HELD for line in lines):
        outcome = Outcome.INTERRUPTED if pipeline.cancelled.is_set() else Outcome.FAILED
    return Report(
        command="invites release",
        outcome=outcome,
        pipeline=pipeline.name,
        profile=pipeline.profile,
        invites=lambda: lines,
        error=error,
        close=close,
    )
