"""Decides who is invited, by whom, and why not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from musterroll.contract.fields import USERNAME
from musterroll.contract.messages import Recipient
from musterroll.contract.roles import Notifier
from musterroll.contract.text import fold
from musterroll.errors import PluginError
from musterroll.journal.change import InviteDecision
from musterroll.journal.invites import InviteState
from musterroll.journal.ledger import LedgerEntry
from musterroll.pipeline.settings import SendTo

_SIZE = 16  # bytes
_EMAIL, _PHONE = "email", ("calling_code", "phone")


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to invite, and the label of the notifier that does."""

    invite: InviteDecision
    notifier: str | None = None


def no_invite(reason: str) -> Decision:
    """Decides against an invite."""
    return Decision(InviteDecision(send=False, reason=reason))


class InvitePolicy:
    """The policy of `[invites]`.

    Args:
        send_to: who is invited.
        senders: label and notifier of those that send invites; the first that can reach a user does.
        now: the time that expiry is judged at.
        resend: an invite that is alive is no reason against another one.
    """

    def __init__(
        self, send_to: SendTo, senders: Sequence[tuple[str, Notifier]], now: dt.datetime, *, resend: bool = False
    ) -> None:
        self._send_to = send_to
        self._senders = senders
        self.now = now
        self._resend = resend

    def decide(self, recipient: Recipient, *, row: int | None = None) -> Decision:
        """Decides who invites a user that nothing speaks against inviting.

        Args:
            recipient: whom to tell, as the user will be.
            row: the sheet row, for messages; None where there is no sheet.

        Raises:
            PluginError: a notifier broke.
        """
        for label, notifier in self._senders:
            try:
                reachable = notifier.can_reach(recipient)
            except PluginError as error:
                raise error if row is None else error.in_row(row) from error.__cause__
            if reachable:
                return Decision(InviteDecision(send=True, channel=notifier.channel), label)
        return no_invite(
            "no address or number that a notifier can use" if self._senders else "no notifier sends invites"
        )

    def reason_against(self, known: LedgerEntry | None, *, active: bool) -> Decision | None:
        """Returns the decision not to invite, or None where nothing speaks against it.

        Args:
            known: what the ledger knows of an existing user; None for one that is being created.
            active: whether the user will be active.
        """
        reason = self._reason_against(known, active=active)
        return None if reason is None else no_invite(reason)

    def reason_of_lost(self, invite: LedgerEntry) -> Decision | None:
        """Returns the decision not to invite somebody who was invited before the portal lost them.

        Args:
            invite: that invite; it is alive, or nobody knows whether it went out.
        """
        if invite.standing(self.now) is InviteState.HELD:
            return no_invite("the last invite is held")
        return None if self._resend else no_invite("already invited")

    def _reason_against(self, known: LedgerEntry | None, *, active: bool) -> str | None:
        if self._send_to == "none":
            return "invites are off"
        if not active:
            return "inactive"
        if known is None:
            return None
        once = (InviteState.SENT, InviteState.EXPIRED) if self._send_to == "new" else (InviteState.SENT,)
        standing = known.standing(self.now)
        if standing is InviteState.HELD:
            return "the last invite is held"
        if standing in once and not self._resend:
            return "already invited"
        if self._send_to == "new" and not known.created:
            return "not new"
        return None


class Recogniser:
    """By what an invited user is known again whom the portal has lost, as one that was restored from a backup has.

    There is a digest of each field that recognises users, together with the address: whoever gets a name anew, and
    another address, is somebody else, and several people may share an address.

    Args:
        match: the fields that recognise a user.
        salt: so that digests say nothing to whoever has not got this journal.
    """

    def __init__(self, match: Sequence[str], salt: bytes) -> None:
        self._names = tuple(dict.fromkeys((*match, USERNAME)))
        self._empty = blake2b(digest_size=_SIZE, key=salt)
        self.fields = frozenset((*self._names, _EMAIL, *_PHONE))

    def of(self, text: Callable[[str], str | None]) -> tuple[str, ...]:
        """Returns the digests of a user, of whom `text` tells the value of a field; none without an address."""
        address = fold(text(_EMAIL) or "") or "".join(text(name) or "" for name in _PHONE)
        if not address:
            return ()
        return tuple(self._digest(name, fold(value), address) for name in self._names if (value := text(name)))

    def _digest(self, *parts: str) -> str:
        digest = self._empty.copy()
        digest.update("\0".join(parts).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()
