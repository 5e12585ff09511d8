"""Rows of which nothing is to be done and nothing to be noted: most of a sheet that comes every night."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

from musterroll.contract.fields import USERNAME, FieldSet
from musterroll.contract.plain import takes_plain_way
from musterroll.contract.users import GroupPath, Wanted
from musterroll.invites.policy import InvitePolicy
from musterroll.journal.change import PasswordAction
from musterroll.journal.ledger import Ledger, LedgerEntry
from musterroll.journal.plan import PlanStore
from musterroll.journal.unchanged import UnchangedRow
from musterroll.pipeline.settings import Settings
from musterroll.plan.groups import GroupIndex
from musterroll.portal.portal import Portal
from musterroll.sheet.checks import CheckedBatch, CheckedRow
from musterroll.sheet.orders import USUAL, Order

_KEEP = PasswordAction.KEEP.value
_REMEMBERED = 10_000  # combinations of groups


class SettledRows:
    """Finds the settled rows of a sheet.

    Nothing is taken from an earlier run on trust. That nothing is to be done is said by the portal, which compares
    every value and group that the row asks for with what it keeps now (`ComparesUsers`). That nothing is to be noted
    is looked up in the ledger: it has the user under this name, and the reason why no invite goes out. Whatever differs
    in anything is planned as every other row.

    Args:
        settings: the pipeline's settings.
        fields: the fields of a user.
        portal: only asked.
        ledger: who was created and invited before, and named by a sheet.
        invites: the policy of invites.
        groups: the groups of the portal.
        store: takes the settled rows.
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
    ) -> None:
        self._names = fields.attributes
        self._portal, self._ledger, self._invites, self._groups, self._store = portal, ledger, invites, groups, store
        self._refs: dict[tuple[GroupPath, ...], tuple[str, ...] | None] = {}
        self._looks = (
            portal.compares_users
            and ledger.roster.last_sheet() is not None
            and not takes_plain_way()
            # What a row asks for besides values and groups that its user has, or leaves to a second look.
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

    def take(self, batch: CheckedBatch, orders: Sequence[Order] | None = None) -> Sequence[CheckedRow]:
        """Stores the settled rows of a batch; returns the others.

        Args:
            batch: the rows.
            orders: what they want; none that wants anything of its own today is settled. None where no row can.

        Raises:
            BackendError: the portal cannot answer.
            PluginError: the backend broke.
        """
        asked = self._asked(batch) if self._looks else {}
        if orders is not None:
            asked = {place: wanted for place, wanted in asked.items() if orders[place] == USUAL}
        if not asked:
            return batch
        refs = self._portal.as_wanted(self._names, list(asked.values()))
        known = {user.ref: user for user in self._ledger.settled([ref for ref in refs if ref is not None])}
        settled: dict[int, UnchangedRow] = {}
        for (place, wanted), ref in zip(asked.items(), refs, strict=True):
            user = known.get(ref or "")
            if user is not None and user.username == wanted.username:
                reason = self._reason(user.entry, user.username)
                if reason is not None:
                    settled[place] = batch.rows.numbers[place], user.username, _KEEP, reason
        self._store.add_settled(list(settled.values()))
        return [batch[place] for place in range(len(batch)) if place not in settled]

    def _asked(self, batch: CheckedBatch) -> dict[int, Wanted]:
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
            if refs is not None and name and batch.valid[place]
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
