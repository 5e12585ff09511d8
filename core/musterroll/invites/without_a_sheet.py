"""Plans invites without a sheet: whom of the ledger the portal still has, and who can be told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from musterroll.contract.fields import USERNAME
from musterroll.contract.messages import Recipient
from musterroll.contract.users import Existing, UserKey
from musterroll.invites.policy import InvitePolicy, no_invite
from musterroll.invites.sender import open_senders
from musterroll.journal.change import InviteDecision
from musterroll.journal.ledger import Ledger, LedgerUser
from musterroll.pipeline.pipeline import Pipeline
from musterroll.portal.portal import Portal

# So many users are looked up at once.
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Invitee:
    """Whether a user of the ledger is invited; `recipient` is as the portal has the user now."""

    user: LedgerUser
    decision: InviteDecision
    recipient: Recipient | None = None


def plan_invitees(
    pipeline: Pipeline,
    portal: Portal,
    users: Iterable[LedgerUser],
    *,
    ledger: Ledger | None = None,
    resend: bool = False,
) -> Iterator[list[Invitee]]:
    """Looks users up and decides who is invited, batch by batch, in the order of the users.

    Everybody without an invite that is alive is: whom the pipeline means by itself is the caller's to choose.

    Args:
        pipeline: who sends invites.
        portal: only asked.
        users: whom to decide on.
        ledger: knows whom the portal has lost, and has again under another id; None where that is no reason.
        resend: those whose invite is alive get another one.

    Raises:
        BackendError: the portal cannot answer.
        PluginError: the backend or a notifier broke.
    """
    with open_senders(pipeline, portal, read_only=True) as senders:
        policy = InvitePolicy(pipeline, senders, ledger, send_to="pending", resend=resend)
        users = iter(users)
        while batch := list(islice(users, _BATCH)):
            against = {user.ref: policy.reason_against(user.entry, user.username, active=True) for user in batch}
            keys = {user.ref: UserKey.of(USERNAME, user.username) for user in batch if against[user.ref] is None}
            found = portal.lookup(list(keys.values()))
            yield [
                Invitee(user, decision)
                if (decision := against[user.ref]) is not None
                else _invitee(user, found.get(keys[user.ref], ()), policy, pipeline.fields.attributes)
                for user in batch
            ]


def _invitee(user: LedgerUser, found: Sequence[Existing], policy: InvitePolicy, attributes: Sequence[str]) -> Invitee:
    existing = next((one for one in found if one.ref == user.ref), None)
    if existing is None:
        reason = "another user has this name now" if found else "the portal has no user of this name any more"
        return Invitee(user, no_invite(reason))
    decision = policy.reason_against(user.entry, existing.username, active=existing.active)
    if decision is not None:
        return Invitee(user, decision)
    fields = {name: existing.fields.get(name) or "" for name in attributes}
    recipient = Recipient(username=existing.username, fields=fields, ref=existing.ref)
    lost = policy.against_lost(recipient, policy.known_as(recipient, existing.username))
    return Invitee(user, lost or policy.decide(recipient), recipient)
