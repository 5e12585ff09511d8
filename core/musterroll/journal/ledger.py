"""Who was created and invited by this pipeline, on this backend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from musterroll.journal.journal import Journal
from musterroll.model.messages import Purpose

_CHUNK = 500


class InviteState(StrEnum):
    """Where an invite stands."""

    SENDING = "sending"  # handed to the notifier; after a crash: held
    SENT = "sent"
    HELD = "held"  # nobody knows whether it went out; a person decides
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What the ledger knows of a user.

    Attributes:
        created: the user was created by this pipeline.
        invite: the state of the latest invite; None where there was none.
        expires: when that invite expires.
    """

    created: bool = False
    invite: InviteState | None = None
    expires: dt.datetime | None = None


NOBODY = LedgerEntry()


class Ledger:
    """The ledger of one pipeline on one backend.

    Args:
        journal: where it is kept; None for an empty one.
        pipeline: the pipeline's name.
        identity: the backend's identity.
    """

    def __init__(self, journal: Journal | None, pipeline: str, identity: str) -> None:
        self._journal = journal
        self._owner = (pipeline, identity)

    def entries(self, refs: Iterable[str]) -> Mapping[str, LedgerEntry]:
        """Returns what is known of users; those of whom nothing is known are left out."""
        wanted = list(refs)
        found: dict[str, LedgerEntry] = {}
        for start in range(0, len(wanted), _CHUNK):
            found.update(self._chunk(wanted[start : start + _CHUNK]))
        return found

    def _chunk(self, refs: Sequence[str]) -> dict[str, LedgerEntry]:
        if self._journal is None:
            return {}
        marks = ", ".join("?" * len(refs))
        created = {
            ref
            for (ref,) in self._journal.execute(
                f"SELECT ref FROM managed WHERE pipeline = ? AND identity = ? AND ref IN ({marks})",  # noqa: S608 -- marks
                (*self._owner, *refs),
            )
        }
        invites = {
            ref: (InviteState(state), dt.datetime.fromisoformat(expires) if expires else None)
            for ref, state, expires in self._journal.execute(
                f"SELECT ref, state, expires FROM invite WHERE pipeline = ? AND identity = ? AND purpose = ? "  # noqa: S608 -- marks
                f"AND ref IN ({marks}) ORDER BY id",
                (*self._owner, Purpose.INVITE, *refs),
            )
        }
        return {ref: LedgerEntry(ref in created, *invites.get(ref, (None, None))) for ref in created | invites.keys()}

    def password_was_reset(self, refs: Iterable[str], sheet_sha256: str) -> frozenset[str]:
        """Returns those users whose password was reset by this very sheet already."""
        if self._journal is None:
            return frozenset()
        return frozenset(
            ref
            for ref in refs
            if self._journal.execute(
                "SELECT 1 FROM password_reset WHERE pipeline = ? AND identity = ? AND ref = ? AND sheet_sha256 = ?",
                (*self._owner, ref, sheet_sha256),
            ).fetchone()
        )
