"""`invites list`: where everybody stands whom the pipeline knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge

from musterroll.errors import MusterrollError
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import Ledger
from musterroll.pipeline.pipeline import Pipeline
from musterroll.reports.invites import listed, portals_of
from musterroll.reports.report import InviteStanding, ListedInvite


@dataclass(frozen=True, slots=True)
class InviteList:
    """The ledger of invites. Streams, so it must be closed.

    Attributes:
        invites: the users, by username.
        identities: the portals whose ledgers these are: one, unless the portal cannot be asked which it is.
        unreachable: why it cannot be asked.
        close: lets go of the journal.
    """

    invites: Iterator[ListedInvite]
    identities: tuple[str, ...] = ()
    unreachable: MusterrollError | None = None
    close: Callable[[], None] = lambda: None


def list_invites(pipeline: Pipeline, *, state: InviteStanding | None = None) -> InviteList:
    """Lists the latest invite of everybody whom the pipeline created, invited, or had in a sheet.

    Args:
        pipeline: whose ledger, on the backend of its profile.
        state: only those that stand so.
    """
    journal = Journal.look(pipeline.state, pipeline.name)
    if journal is None:
        return InviteList(iter(()))
    try:
        portals = portals_of(pipeline, journal)
    except BaseException:
        journal.close()
        raise
    ledgers = [Ledger(journal, pipeline.name, identity).users() for identity in portals.identities]
    users = merge(*ledgers, key=lambda user: (user.username.lower(), user.username))
    now = pipeline.clock()
    lines = (listed(user.username, user.entry, now) for user in users)
    wanted = (line for line in lines if state is None or line.state is state)
    return InviteList(wanted, portals.identities, portals.unreachable, journal.close)
