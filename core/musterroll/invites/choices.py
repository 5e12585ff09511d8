"""How many invites each choice of `send_to` would send, counted while one plan is made."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from musterroll.contract.roles import Notifier
from musterroll.invites.policy import InvitePolicy
from musterroll.journal.ledger import Ledger, LedgerEntry
from musterroll.pipeline.pipeline import Pipeline
from musterroll.pipeline.settings import SendTo


class InviteChoices:
    """Counts beside a plan whom each choice would invite, so that nobody has to plan the sheet once for each."""

    def __init__(self) -> None:
        self._policies: dict[SendTo, InvitePolicy] = {}
        # The rows, by choice: which of them are left out is known at the end.
        self._rows: dict[SendTo, array[int]] = {choice: array("Q") for choice in get_args(SendTo)}

    def begin(self, pipeline: Pipeline, senders: Sequence[tuple[str, Notifier]], ledger: Ledger) -> None:
        """A plan begins; with what its own policy of invites is made from."""
        self._policies = {
            choice: InvitePolicy(pipeline, senders, ledger, send_to=choice) for choice in get_args(SendTo)
        }

    def wanting(self, known: LedgerEntry | None, username: str, *, active: bool) -> list[SendTo]:
        """The choices under which nothing that is known of a user speaks against an invite."""
        return [
            choice
            for choice, policy in self._policies.items()
            if policy.reason_against(known, username, active=active) is None
        ]

    def add(self, row: int, choices: Iterable[SendTo]) -> None:
        """Notes that the user of a row would be invited under some choices."""
        for choice in choices:
            self._rows[choice].append(row)

    def leave_out(self, rows: Iterable[int]) -> None:
        """Takes rows out again that the plan rejects in the end."""
        out = set(rows)
        for choice, found in self._rows.items():
            self._rows[choice] = array("Q", (row for row in found if row not in out))

    def without_invite(self, rows: Iterable[int]) -> Mapping[SendTo, int]:
        """How many users of some rows each choice would not invite."""
        some = frozenset(rows)
        return {choice: len(some.difference(found)) if some else 0 for choice, found in self._rows.items()}

    @property
    def counts(self) -> Mapping[SendTo, int]:
        """How many invites each choice would send."""
        return {choice: len(rows) for choice, rows in self._rows.items()}
