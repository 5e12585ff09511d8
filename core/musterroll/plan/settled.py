"""Rows of which nothing is to be done and nothing to be noted: most of a sheet that comes every night."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import repeat

from musterroll.contract.fields import USERNAME, FieldSet
from musterroll.contract.plain import takes_plain_way
from musterroll.contract.users import GroupPath, Wanted
from musterroll.invites.policy import OFF, InvitePolicy
from musterroll.journal.change import PasswordAction
from musterroll.journal.ledger import Ledger, LedgerEntry
from musterroll.journal.plan import PlanStore
from musterroll.journal.sheet_parts import Settled
from musterroll.pipeline.settings import Settings
from musterroll.plan.digests import RowDigests
from musterroll.plan.groups import GroupIndex
from musterroll.plan.same_parts import PartDigests
from musterroll.portal.portal import Portal
from musterroll.sheet.checks import CheckedBatch, CheckedRow
from musterroll.sheet.orders import USUAL, Order

_KEEP = PasswordAction.KEEP.value
_REMEMBERED = 10_000  # combinations of groups


def can_settle(settings: Settings, portal: Portal) -> bool:
    """Whether a pipeline can have settled rows at all.

    In others rows ask for more than values and groups that their users have, or leave something to a second look.
    """
    return (
        portal.compares_users
        and not takes_plain_way()
        and settings.match == (USERNAME,)
        and settings.sheet.on_blank_cell == "keep"
        and settings.membership.mode == "add"
        and settings.password.on_existing == "keep"
        and settings.absent == "keep"
        and not settings.hand_edits
        and settings.mode != "create"
        and not settings.scope
        and not portal.capabilities().unique_email
    )


def can_note(settings: Settings) -> bool:
    """Whether rows that are settled stay so while nothing changes: time does not make a new decision of an old one."""
    return settings.invites.send_to in ("none", "new")


class SettledRows:
    """Finds the settled rows of a sheet.

    That nothing is to be done is said by the portal, which compares every value and group that the row asks for with
    what it keeps now (`ComparesUsers`). That nothing is to be noted is looked up in the ledger: it has the user under
    this name, and the reason why no invite goes out. Whatever differs in anything is planned as every other row.

    A part of the sheet that the last completed sheet had as well is known whole, if its job has left pipeline, portal
    and ledger as they are now: a portal can tell (`TellsState`), and whoever writes to the journal is counted. What it
    says of its rows was found out as above, or carried out by that very job without a fault.

    Args:
        settings: the pipeline's settings.
        fields: the fields of a user.
        portal: only asked.
        ledger: who was created and invited before, and named by a sheet.
        invites: the policy of invites.
        groups: the groups of the portal.
        store: takes the settled rows.
        parts: the numbers of the last completed sheet's parts, by their digests, as far as nothing has changed since.
        notes: whether the next sheet may find the parts of this one again.

    Attributes:
        finds_all: whether all rows so far are known from the last completed sheet.
    """

    def __init__(
        self,
        settings: Settings,
        fields: FieldSet,
        portal: Portal,
        ledger: Ledger,
        invites: InvitePolicy,
        groups: GroupIndex,
        store: PlanStore,
        *,
        parts: Mapping[bytes, int],
        notes: bool,
    ) -> None:
        self._names = fields.attributes
        self._portal, self._ledger, self._invites, self._groups, self._store = portal, ledger, invites, groups, store
        self._refs: dict[tuple[GroupPath, ...], tuple[str, ...] | None] = {}
        self._looks = ledger.roster.last_sheet() is not None
        self._digests = RowDigests(fields, settings.match, ledger.roster.salt)
        self._wholes = PartDigests(fields, ledger.roster.salt) if notes else None
        self._of_new = OFF if settings.invites.send_to == "none" else None
        self._parts = parts
        self._whole: bytes | None = (
            None  # of the batch, with its number in the last sheet, and what is known of its rows
        )
        self._number: int | None = None
        self._known: Settled = ()
        self._settled: list[str | None] = []
        self.finds_all = bool(parts)

    def take(self, batch: CheckedBatch, orders: Sequence[Order] | None = None) -> Sequence[CheckedRow]:
        """Stores the settled rows of a batch; returns the others.

        Args:
            batch: the rows.
            orders: what they want; none that wants anything of its own today is settled. None where no row can.

        Raises:
            BackendError: the portal cannot answer.
            PluginError: the backend broke.
        """
        self._recognise(batch)
        may_be = batch.valid if orders is None else [v and o == USUAL for v, o in zip(batch.valid, orders, strict=True)]
        if self._number is not None and None not in self._known and all(may_be):
            self._settled = list(self._known)
            names = batch.rows.columns.texts(USERNAME)
            self._store.add_settled(list(zip(batch.rows.numbers, names, repeat(_KEEP), self._known, strict=False)))
            return ()
        return self._look(batch, may_be)

    def keep(self, batch: CheckedBatch, unusual: Collection[int] | None) -> None:
        """Stores the digests of a batch, and which of its rows will be settled when the job has ended.

        Args:
            batch: the rows.
            unusual: the places of rows that are neither settled nor create a user as they say; None for all but the
                settled ones.
        """
        if self._number is not None:
            self._store.add_same_part(self._number, self._settled)
            return
        part = self._digests.of(batch)
        if self._whole is not None and len(part.rows) == len(batch):
            if self._of_new is not None and unusual is not None:
                new = self._of_new
                self._settled = [
                    reason or (None if place in unusual else new) for place, reason in enumerate(self._settled)
                ]
            part = part._replace(whole=self._whole, settled=self._settled)
        self._store.add_digests(part)

    def _recognise(self, batch: CheckedBatch) -> None:
        self._whole = None if self._wholes is None else self._wholes.of(batch)
        self._number = None if self._whole is None else self._parts.get(self._whole)
        self._known = [None] * len(batch) if self._number is None else self._store.settled_of_part(self._number)

    def _look(self, batch: CheckedBatch, may_be: Sequence[bool]) -> Sequence[CheckedRow]:
        """As `take`, where the rows are not all known."""
        self.finds_all = False
        names = batch.rows.columns.texts(USERNAME)
        settled = {
            place: (batch.rows.numbers[place], names[place], _KEEP, reason)
            for place, reason in enumerate(self._known)
            if reason is not None and may_be[place]
        }
        asked = self._asked(batch, may_be, settled) if self._looks else {}
        if asked:
            refs = self._portal.as_wanted(self._names, list(asked.values()))
            known = {user.ref: user for user in self._ledger.settled([ref for ref in refs if ref is not None])}
            for (place, wanted), ref in zip(asked.items(), refs, strict=True):
                user = known.get(ref or "")
                if user is not None and user.username == wanted.username:
                    reason = self._reason(user.entry, user.username)
                    if reason is not None:
                        settled[place] = batch.rows.numbers[place], user.username, _KEEP, reason
        if not settled:
            self._settled = [None] * len(batch)
            return list(batch)
        rows = [settled.get(place) for place in range(len(batch))]
        self._settled = [None if row is None else row[3] for row in rows]
        self._store.add_settled([row for row in rows if row is not None])
        return [batch[place] for place, row in enumerate(rows) if row is None]

    def _asked(self, batch: CheckedBatch, may_be: Sequence[bool], settled: Collection[int]) -> dict[int, Wanted]:
        """How the users are wanted who may be so already, by their rows' places in the batch."""
        columns = batch.rows.columns
        bare = batch.rows.without_defaults or columns  # an existing user gets no defaults
        values = zip(*map(bare.texts, self._names), strict=True) if self._names else repeat(())
        rows = zip(
            columns.texts(USERNAME), columns.folded(USERNAME), values, map(self._refs_of, batch.given), strict=False
        )
        return {
            place: Wanted(name, key, texts, refs)
            for place, (name, key, texts, refs) in enumerate(rows)
            if refs is not None and name and may_be[place] and place not in settled
        }

    def _refs_of(self, groups: tuple[GroupPath, ...]) -> tuple[str, ...] | None:
        """The refs of groups; None where one of them is not there."""
        if groups not in self._refs:
            if len(self._refs) >= _REMEMBERED:
                self._refs.clear()
            refs = [target.ref for path in groups if (target := self._groups.find(path)) is not None]
            known = tuple(ref for ref in refs if ref is not None)
            self._refs[groups] = known if len(known) == len(groups) else None
        return self._refs[groups]

    def _reason(self, entry: LedgerEntry, username: str) -> str | None:
        """Why no invite goes out, where the ledger has that already; None where it may, or is to be noted."""
        decision = self._invites.reason_against(entry, username, active=True)
        if decision is None or (entry.invite is None and entry.detail != decision.reason):
            return None
        return decision.reason
