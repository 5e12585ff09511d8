"""Decides who is invited, by whom, and why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from hashlib import blake2b

from musterroll.contract.fields import USERNAME
from musterroll.contract.messages import Recipient
from musterroll.contract.roles import Notifier
from musterroll.contract.text import fold
from musterroll.errors import PluginError
from musterroll.journal.change import InviteDecision
from musterroll.journal.invites import InviteState
from musterroll.journal.ledger import Ledger, LedgerEntry
from musterroll.pipeline.pipeline import Pipeline
from musterroll.pipeline.settings import SendTo
from musterroll.portal.patterns import Patterns

OFF = "invites are off"
"""Why nobody is invited, where the pipeline says so."""

_SIZE = 16  # bytes
_EMAIL, _PHONE = "email", ("calling_code", "phone")


@cache
def no_invite(reason: str) -> InviteDecision:
    """Decides against an invite."""
    return InviteDecision(send=False, reason=reason)


class InvitePolicy:
    """The policy of `[invites]`.

    Args:
        pipeline: whose policy it is.
        senders: label and notifier of those that send invites; the first that can reach a user does.
        ledger: who was invited before; None where that is no reason.
        send_to: who is invited, where it is not as the pipeline says.
        resend: an invite that is alive is no reason against another one.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        senders: Sequence[tuple[str, Notifier]],
        ledger: Ledger | None,
        *,
        send_to: SendTo | None = None,
        resend: bool = False,
    ) -> None:
        settings = pipeline.settings
        self._send_to = send_to or settings.invites.send_to
        self._senders = senders
        self._ledger = ledger
        self._protection = Patterns(settings.protect)
        self._recogniser = Recogniser(settings.match, b"" if ledger is None else ledger.roster.salt)
        self._now = pipeline.clock()
        self._resend = resend

    def reason_against(self, known: LedgerEntry | None, username: str, *, active: bool) -> InviteDecision | None:
        """Returns the decision not to invite, or None where nothing that is known of a user speaks against it.

        Args:
            known: what the ledger knows of an existing user; None for one that is being created.
            username: the user's.
            active: whether the user will be active.
        """
        reason = self._reason_against(known, active=active)
        if reason is None and self._protection.of(username):
            reason = "protected"
        return None if reason is None else no_invite(reason)

    def reason_against_all_new(self) -> InviteDecision | None:
        """Returns the decision not to invite any user who is being created; None where it depends on who it is."""
        reason = self._reason_against(None, active=True)
        return None if reason is None else no_invite(reason)

    def _reason_against(self, known: LedgerEntry | None, *, active: bool) -> str | None:
        if self._send_to == "none":
            return OFF
        if not active:
            return "inactive"
        if known is None:
            return None
        standing = known.standing(self._now)
        if standing is InviteState.HELD:
            return "the last invite is held"
        once = (InviteState.SENT, InviteState.EXPIRED) if self._send_to == "new" else (InviteState.SENT,)
        if standing in once and not self._resend:
            return "already invited"
        if self._send_to == "new" and not known.created:
            return "not new"
        return None

    def recognises_by(self, fields: Iterable[str]) -> bool:
        """Whether an invited user is known again by one of these fields."""
        return not self._recogniser.fields.isdisjoint(fields)

    def known_as(self, recipient: Recipient, username: str) -> tuple[str, ...]:
        """Returns by what a user is known again; the username as it will be."""
        return self._recogniser.of({**recipient.fields, USERNAME: username}.get)

    def against_lost(self, recipient: Recipient, known_as: Sequence[str]) -> InviteDecision | None:
        """Returns the decision not to invite somebody who has an invite under an id that the portal has lost, if any.

        Args:
            recipient: the user.
            known_as: by what the user is known again.
        """
        lost = None if self._ledger is None else self._ledger.lost(known_as, recipient.ref or None, self._now)
        if lost is None:
            return None
        if lost.standing(self._now) is InviteState.HELD:
            return no_invite("the last invite is held")
        return None if self._resend else no_invite("already invited")

    def decide(self, recipient: Recipient, *, row: int | None = None) -> InviteDecision:
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
                fields = dict(recipient.fields)
                return InviteDecision(send=True, channel=notifier.channel, notifier=label, recipient=fields)
        return no_invite(
            "no address or number that a notifier can use" if self._senders else "no notifier sends invites"
        )


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
