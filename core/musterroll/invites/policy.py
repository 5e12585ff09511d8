"""Decides who is invited, by whom, and why not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from musterroll.contract.messages import Recipient
from musterroll.contract.roles import Notifier
from musterroll.errors import PluginError
from musterroll.journal.change import InviteDecision
from musterroll.journal.ledger import InviteState, LedgerEntry
from musterroll.pipeline.settings import SendTo

_IN_DOUBT = (InviteState.HELD, InviteState.SENDING)


def _skip(reason: str) -> InviteDecision:
    return InviteDecision(send=False, reason=reason)


class InvitePolicy:
    """The policy of `[invites]`.

    Args:
        send_to: who is invited.
        notifiers: label and notifier, in the order of the pipeline; the first that can reach a user invites.
        now: the time that expiry is judged at.
        resend: an invite that is alive is no reason against another one.
    """

    def __init__(
        self,
        send_to: SendTo,
        notifiers: Sequence[tuple[str, Notifier]],
        now: dt.datetime,
        *,
        resend: bool = False,
    ) -> None:
        self._send_to = send_to
        self._notifiers = notifiers
        self.now = now
        self._resend = resend

    def decide(self, recipient: Recipient, *, row: int | None = None) -> InviteDecision:
        """Decides who invites a user that nothing speaks against inviting.

        Args:
            recipient: whom to tell, as the user will be.
            row: the sheet row, for messages; None where there is no sheet.

        Raises:
            PluginError: a notifier broke.
        """
        for label, notifier in self._notifiers:
            try:
                reachable = notifier.can_reach(recipient)
            except PluginError as error:
                raise error if row is None else error.in_row(row) from error.__cause__
            if reachable:
                fields = dict(recipient.fields)
                return InviteDecision(send=True, channel=notifier.channel, notifier=label, recipient=fields)
        if not self._notifiers:
            return _skip("no notifier sends invites")
        return _skip("no address or number that a notifier can use")

    def reason_against(self, known: LedgerEntry | None, *, active: bool) -> InviteDecision | None:
        """Returns the decision not to invite, or None where nothing speaks against it.

        Args:
            known: what the ledger knows of an existing user; None for one that is being created.
            active: whether the user will be active.
        """
        reason = self._reason_against(known, active=active)
        return None if reason is None else _skip(reason)

    def reason_of_lost(self, invite: LedgerEntry) -> InviteDecision | None:
        """Returns the decision not to invite somebody who was invited before the portal lost them.

        Args:
            invite: that invite; it is alive, or nobody knows whether it went out.
        """
        if invite.invite in _IN_DOUBT:
            return _skip("the last invite is held")
        return None if self._resend else _skip("already invited")

    def _reason_against(self, known: LedgerEntry | None, *, active: bool) -> str | None:
        if self._send_to == "none":
            return "invites are off"
        if not active:
            return "inactive"
        if known is None:
            return None
        if known.invite in _IN_DOUBT:
            return "the last invite is held"
        once = known.is_alive(self.now) or self._send_to == "new"
        if known.invite is InviteState.SENT and once and not self._resend:
            return "already invited"
        if self._send_to == "new" and not known.created:
            return "not new"
        return None
