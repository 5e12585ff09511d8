"""`invites release`: frees invites that are held, because nobody knew whether they had gone out."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from musterroll.commands.carry_out import final_state
from musterroll.commands.job import locked
from musterroll.contract.text import fold
from musterroll.contract.translation import counted, gettext
from musterroll.errors import MusterrollError, RefusedError, UsageError
from musterroll.invites.sender import InviteSender, open_senders
from musterroll.invites.without_a_sheet import plan_invitees
from musterroll.journal.invites import DueInvite, InviteState, InviteStore
from musterroll.journal.job import JobState
from musterroll.journal.jobs import list_jobs
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import NOT_KNOWN, Ledger, LedgerUser
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.run import Run
from musterroll.progress import SILENT, Progress
from musterroll.reports.invites import listed, portals_of
from musterroll.reports.report import Outcome, Report

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
    with locked(Run(pipeline, journal, "invites release", progress)):
        identity = _identity(pipeline, journal)
        ledger = Ledger(journal, pipeline.name, identity)
        chosen = _chosen([user for user in ledger.users() if user.entry.invite is InviteState.HELD], names)
        error: MusterrollError | None = None
        against: dict[str, str | None] = {}
        if as_sent:
            _note_arrived(pipeline, journal, identity, chosen)
        elif chosen:
            due, against = _look_up(pipeline, chosen, progress)
            count = sum(map(len, due.values()))
            if count and not confirm(count):
                raise RefusedError(gettext("declined; nothing was sent"), code="declined")
            error = _send(pipeline, journal, identity, due, progress)
        with journal.transaction():
            _count_again(journal, {user.entry.job for user in chosen})
        entries = ledger.entries(user.ref for user in chosen)
        chosen = [replace(user, entry=entries.get(user.ref, NOT_KNOWN)) for user in chosen]
        return _report(pipeline, chosen, against, error, journal.close)


def _identity(pipeline: Pipeline, journal: Journal) -> str:
    """Returns which portal is meant; where it cannot be asked, the only one that the journal knows."""
    identities, unreachable = portals_of(pipeline, journal)
    if unreachable is not None and len(identities) != 1:
        raise unreachable
    return identities[0]


def _chosen(held: Sequence[LedgerUser], names: Sequence[str]) -> Sequence[LedgerUser]:
    if not names:
        return held
    wanted = {fold(name): name for name in names}
    for name in wanted.keys() - {fold(user.username) for user in held}:
        known = ", ".join(user.username for user in held[:_NAMED])
        rest = len(held) - _NAMED
        more = gettext(" and {count} more", count=counted(rest)) if rest > 0 else ""
        what = gettext("held are those of {users}", users=f"{known}{more}") if held else gettext("none is held at all")
        raise UsageError(
            gettext('no invite of "{user}" is held; {what}', user=wanted[name], what=what), code="invite.not_held"
        )
    return [user for user in held if fold(user.username) in wanted]


def _note_arrived(pipeline: Pipeline, journal: Journal, identity: str, chosen: Sequence[LedgerUser]) -> None:
    store, now = InviteStore(journal, pipeline.name, identity), pipeline.clock()
    expires = now + dt.timedelta(days=pipeline.settings.invites.valid_days)
    with journal.transaction():
        for user in chosen:
            store.settle(user.entry.message, InviteState.SENT, sent=now, expires=expires, detail=None)


def _look_up(
    pipeline: Pipeline, held: Sequence[LedgerUser], progress: Progress
) -> tuple[Mapping[str, Sequence[DueInvite]], dict[str, str | None]]:
    """Looks the users up as they are now.

    Returns:
        What to send, by notifier, and why others cannot be invited, by ref.
    """
    progress.stage("Looking users up")
    due, against = defaultdict[str, list[DueInvite]](list), dict[str, str | None]()
    # That the last invite is held is no reason against what is to be released.
    asked = (replace(user, entry=NOT_KNOWN) for user in held)
    with pipeline.build_backend(read_only=True) as portal:
        invitees = (one for batch in plan_invitees(pipeline, portal, asked) for one in batch)
        for user, invitee in zip(held, invitees, strict=True):
            notifier, recipient = invitee.decision.notifier, invitee.recipient
            if notifier is None or recipient is None:
                against[user.ref] = invitee.decision.reason
                continue
            due[notifier].append(
                DueInvite(
                    job=user.entry.job,
                    row=len(due[notifier]),
                    message=user.entry.message,
                    channel=invitee.decision.channel or "",
                    recipient=recipient,
                    was=InviteState.HELD,
                    why=user.entry.detail,
                )
            )
    pipeline.stop_if_cancelled()
    return due, against


def _send(
    pipeline: Pipeline, journal: Journal, identity: str, due: Mapping[str, Sequence[DueInvite]], progress: Progress
) -> MusterrollError | None:
    """Sends; returns what went wrong with a notifier."""

    def following(notifier: str, after: int, limit: int) -> Sequence[DueInvite]:
        return due.get(notifier, ())[after + 1 : after + 1 + limit]

    # Nothing is written to the portal, unless it is the one who invites.
    with (
        pipeline.build_backend(read_only=pipeline.settings.invites.by != "backend") as portal,
        open_senders(pipeline, portal, read_only=False) as senders,
    ):
        try:
            InviteSender(pipeline, journal, identity, progress).run(following, senders)
        except MusterrollError as error:
            journal.commit()
            return error
    return None


def _count_again(journal: Journal, changed: set[str]) -> None:
    """Brings the counts of jobs up to date whose invites were released; a forgotten job has none."""
    for job in [job for job in list_jobs(journal) if job.id in changed]:
        outcome = job.keep_outcome()
        if job.record.state is JobState.COMPLETED_WITH_ERRORS:
            job.set_state(final_state(job, outcome, None, interrupted=False))


def _report(
    pipeline: Pipeline,
    users: Sequence[LedgerUser],
    against: dict[str, str | None],
    error: MusterrollError | None,
    close: Callable[[], None],
) -> Report:
    now = pipeline.clock()
    lines = [listed(user.username, user.entry, now) for user in users]
    lines = [replace(line, reason=against.get(user.ref, line.reason)) for user, line in zip(users, lines, strict=True)]
    outcome = Outcome.OK
    if error is not None or any(line.state is InviteState.HELD for line in lines):
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
