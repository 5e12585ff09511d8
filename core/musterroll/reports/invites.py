"""The ledger of invites as a person reads it: of which portal it is, and where every user stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from heapq import merge
from itertools import islice
from typing import Any

from musterroll.contract.translation import gettext_noop
from musterroll.errors import MusterrollError
from musterroll.journal.change import Change
from musterroll.journal.invites import InviteState
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import NOT_KNOWN, Ledger, LedgerEntry, known_identities
from musterroll.pipeline.pipeline import Pipeline
from musterroll.reports.summaries import ListedInvite

_CHUNK = 500
# What the ledger itself cannot say: nothing was kept of the job that created the user.
_NOT_YET = gettext_noop("its job did not come to the invites")


@dataclass(frozen=True, slots=True)
class InviteList:
    """The ledger of invites. Streams, so it must be closed.

    Attributes:
        invites: the users, by username.
        identities: the portals whose ledgers these are: one, unless the portal cannot be asked which it is.
        unreachable: why it cannot be asked.
        close: closes the journal.
    """

    invites: Iterator[ListedInvite]
    identities: tuple[str, ...] = ()
    unreachable: MusterrollError | None = None
    close: Callable[[], None] = lambda: None

    def members(self) -> dict[str, Any]:
        """Its members of the JSON document; the invites are a stream."""
        return {"invites": map(asdict, self.invites)}


def list_invites(pipeline: Pipeline, *, state: InviteState | None = None) -> InviteList:
    """Lists the latest invite of everybody whom the pipeline created, invited, or had in a sheet.

    Args:
        pipeline: whose ledger, on the backend of its profile.
        state: only those that stand so.
    """
    journal = Journal.look(pipeline.state, pipeline.name)
    if journal is None:
        return InviteList(iter(()))
    try:
        identities, unreachable = portals_of(pipeline, journal)
    except BaseException:
        journal.close()
        raise
    ledgers = [Ledger(journal, pipeline.name, identity).users() for identity in identities]
    users = merge(*ledgers, key=lambda user: (user.username.lower(), user.username))
    now = pipeline.clock()
    lines = (listed(user.username, user.entry, now) for user in users)
    wanted = (line for line in lines if state is None or line.state is state)
    return InviteList(wanted, identities, unreachable, journal.close)


def portals_of(pipeline: Pipeline, journal: Journal) -> tuple[tuple[str, ...], MusterrollError | None]:
    """Asks the pipeline's portal which one it is; failing that, takes those that the journal knows.

    Returns:
        The portals' identities, and why it could not be asked; several identities or none only then.
    """
    try:
        with pipeline.build_backend(read_only=True) as portal:
            return (portal.identity(),), None
    except MusterrollError as error:
        return tuple(known_identities(journal, pipeline.name, pipeline.profile)), error


def listed(username: str, entry: LedgerEntry, now: dt.datetime) -> ListedInvite:
    """Makes the line of a user in the list of invites."""
    reason = entry.detail if entry.invite is not InviteState.SENT else None  # some say what became of what was sent
    if entry.invite is InviteState.SENDING:
        reason = gettext_noop("it is being sent, or was cut off while it was being sent")
    elif entry.invite is None:
        reason = reason or _NOT_YET
    return ListedInvite(
        username=username,
        channel=entry.channel,
        state=entry.standing(now),
        sent=_text(entry.sent),
        expires=_text(entry.expires),
        reason=reason,
    )


def listed_of_job(job: str, changes: Iterable[Change], ledger: Ledger, now: dt.datetime) -> Iterator[ListedInvite]:
    """Streams where the users of an invite job stand by now.

    Args:
        job: the job's id.
        changes: its users; of whom the job has sent nothing (yet), `reason` says why not.
        ledger: the ledger.
        now: the time that expiry is judged at.
    """
    changes = iter(changes)
    while chunk := list(islice(changes, _CHUNK)):
        entries = ledger.entries(change.ref for change in chunk if change.ref)
        for change in chunk:
            entry = entries.get(change.ref or "", NOT_KNOWN)
            line = listed(change.username, entry, now)
            if entry.job != job:
                line = replace(line, channel=line.channel or change.invite.channel, reason=change.invite.reason)
            yield line


def _text(time: dt.datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="seconds")
