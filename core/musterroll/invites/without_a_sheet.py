"""Plans invites without a sheet: whom of the ledger the portal still has, and who can be told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from musterroll.contract.fields import USERNAME
from musterroll.contract.messages import Recipient
from musterroll.contract.roles import UserBackend
from musterroll.contract.users import Existing, UserKey
from musterroll.invites.invited_before import Recogniser
from musterroll.invites.policy import InvitePolicy
from musterroll.invites.senders import inviters
from musterroll.journal.change import InviteDecision
from musterroll.journal.ledger import KnownUser, Ledger
from musterroll.pipeline.pipeline import Pipeline
from musterroll.portal.lookups import confirmed
from musterroll.portal.protection import PROTECTED, Protection

# So many users are looked up at once.
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Invitee:
    """Whether a user of the ledger is invited; `recipient` is as the portal has the user now."""

    user: KnownUser
    decision: InviteDecision
    recipient: Recipient | None = None


def plan_invitees(
    pipeline: Pipeline,
    backend: UserBackend,
    users: Iterable[KnownUser],
    *,
    ledger: Ledger | None = None,
    resend: bool = False,
) -> Iterator[list[Invitee]]:
    """Looks users up and decides who is invited, batch by batch, in the order of the users.

    Everybody without an invite that is alive is: whom the pipeline means by itself is the caller's to choose.

    Args:
        pipeline: who sends invites.
        backend: the portal; only asked.
        users: whom to decide on.
        ledger: knows whom the portal has lost, and has again under another id; None where that is no reason.
        resend: those whose invite is alive get another one.

    Raises:
        BackendError: the portal cannot answer.
        PluginError: the backend or a notifier broke.
    """
    notifiers = pipeline.build_notifiers()
    try:
        senders = inviters(pipeline.settings.invites, notifiers, backend)
        policy = InvitePolicy("pending", senders, pipeline.clock(), resend=resend)
        planner = _InviteePlanner(backend, pipeline, policy, ledger)
        users = iter(users)
        while batch := list(islice(users, _BATCH)):
            yield planner.plan(batch)
    finally:
        for _, notifier in notifiers:
            notifier.close()


class _InviteePlanner:
    def __init__(self, backend: UserBackend, pipeline: Pipeline, policy: InvitePolicy, ledger: Ledger | None) -> None:
        self._backend = backend
        self._attributes = pipeline.fields.attributes
        self._policy = policy
        self._protection = Protection(pipeline.settings.protect)
        self._ledger = ledger
        self._recogniser = Recogniser(pipeline.settings.match, b"" if ledger is None else ledger.roster.salt)

    def plan(self, batch: Sequence[KnownUser]) -> list[Invitee]:
        against = {user.ref: self._policy.reason_against(user.entry, active=True) for user in batch}
        keys = {user.ref: UserKey.of(USERNAME, user.username) for user in batch if against[user.ref] is None}
        found = confirmed(self._backend, keys.values())
        planned: list[Invitee] = []
        for user in batch:
            decision = against[user.ref]
            if decision is None:
                planned.append(self._decide(user, found.get(keys[user.ref], ())))
            else:
                planned.append(Invitee(user, decision))
        return planned

    def _decide(self, user: KnownUser, found: Sequence[Existing]) -> Invitee:
        existing = next((one for one in found if one.ref == user.ref), None)
        if existing is None:
            reason = "another user has this name now" if found else "the portal has no user of this name any more"
            return Invitee(user, InviteDecision(send=False, reason=reason))
        if self._protection.of(existing.username):
            return Invitee(user, InviteDecision(send=False, reason=PROTECTED))
        decision = self._policy.reason_against(user.entry, active=existing.active)
        if decision is None and self._ledger is not None:
            texts = {**existing.fields, USERNAME: existing.username}
            lost = self._ledger.lost(self._recogniser.of(texts.get), existing.ref, self._policy.now)
            decision = None if lost is None else self._policy.reason_of_lost(lost)
        if decision is not None:
            return Invitee(user, decision)
        recipient = Recipient(
            username=existing.username,
            fields={name: existing.fields.get(name) or "" for name in self._attributes},
            ref=existing.ref,
        )
        return Invitee(user, self._policy.decide(recipient), recipient)
