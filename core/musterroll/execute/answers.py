"""Keeps what the backend answers, and what follows from it for the job and for the ledger."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from musterroll.contract.fields import USERNAME
from musterroll.contract.operations import Kind, Result, Status
from musterroll.errors import PluginError
from musterroll.journal.change import PasswordAction
from musterroll.journal.damage import storable
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import Ledger
from musterroll.journal.operations import OperationStore, OpState, PlannedUser, StoredOp

_STATES = {
    Status.DONE: OpState.DONE,
    Status.NOOP: OpState.NOOP,
    Status.FAILED: OpState.FAILED,
    Status.NOT_DONE: OpState.PLANNED,
    Status.UNKNOWN: OpState.UNKNOWN,
    # A conflict is looked up again before it counts: it may be our own, committed late.
    Status.CONFLICT: OpState.UNKNOWN,
}
_IS_SO = frozenset({OpState.DONE, OpState.NOOP})
_SETTLED = frozenset({OpState.DONE, OpState.NOOP, OpState.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext:
    """What executing needs to know of its job.

    Attributes:
        job: the job's id.
        pipeline: the pipeline's name.
        identity: the backend's identity.
        sheet_sha256: the sheet.
        resets: whether the pipeline resets the passwords of existing users.
        makes_usernames: whether the pipeline makes usernames, so that another run makes another one.
        keeps_values: whether it wants to know what users were given last.
        clock: the time in UTC.
        cancelled: set when the person interrupts: what is in flight is finished, nothing new begins.
    """

    job: str
    pipeline: str
    identity: str
    sheet_sha256: str
    resets: bool
    makes_usernames: bool
    keeps_values: bool
    clock: Callable[[], dt.datetime]
    cancelled: threading.Event


class Answers:
    """Takes answers and writes them down together: one by one would cost more than the portal's work.

    Args:
        context: the job.
        journal: where they are kept.
    """

    def __init__(self, context: JobContext, journal: Journal) -> None:
        self._context = context
        self._journal = journal
        self._store = OperationStore(journal, context.job)
        self._states: list[tuple[OpState, str | None, int]] = []
        self._users: dict[int, str] = {}
        self._groups: list[tuple[str, int]] = []
        self._created: list[int] = []
        self._resets: list[str] = []
        self._deleted: list[str] = []
        self._given: list[tuple[str, Mapping[str, str | None]]] = []
        self._members: list[tuple[str, list[str], bool]] = []

    def keep(self, stored: StoredOp, result: Result) -> bool:
        """Takes an answer; returns whether it is the last word on the operation."""
        state = _STATES[result.status]
        if state in _IS_SO:
            self._keep_done(stored, result)
        self._states.append((state, result.detail, stored.seq))
        return state in _SETTLED

    def _keep_done(self, stored: StoredOp, result: Result) -> None:
        kind, user = stored.kind, stored.user
        if kind is Kind.CREATE_USER and user is not None:
            ref = _ref(result)
            self._users[user.row] = ref
            if self._context.keeps_values:
                self._given.append((ref, {USERNAME: user.username, **user.after}))
            if result.status is Status.DONE:
                self._created.append(user.row)
            # The next run of this sheet must not give the user the same password once more.
            if self._context.resets and user.password is PasswordAction.SET:
                self._resets.append(ref)
        elif kind is Kind.CREATE_GROUP:
            assert stored.group is not None
            assert stored.group.id is not None
            self._groups.append((_ref(result), stored.group.id))
        elif user is None:
            if result.refused:
                self._store.set_refused(stored.seq, result.refused)
            if self._context.keeps_values and stored.members and stored.group is not None:
                refs = [member.ref for member in stored.members if member.ref not in result.refused]
                self._members.append((stored.group.ref or "", refs, kind is Kind.ADD_MEMBERS))
        else:
            self._keep_change(kind, user, stored.seq, result)

    def _keep_change(self, kind: Kind, user: PlannedUser, seq: int, result: Result) -> None:
        """Keeps what follows for a user who was there before."""
        if result.refused:
            self._store.set_refused_fields(seq, user.row, result.refused)
        if kind is Kind.DELETE_USER:
            self._deleted.append(user.ref or "")
        elif kind in (Kind.UPDATE_USER, Kind.REFER):
            if user.password is PasswordAction.RESET:
                self._resets.append(user.ref or "")
            if self._context.keeps_values and user.after:
                # Whom the user refers to comes after a change of the name, which the row does not show.
                name = {} if kind is Kind.REFER else {USERNAME: user.username}
                given = {field: text for field, text in user.after.items() if field not in result.refused}
                self._given.append((user.ref or "", {**name, **given}))

    def flush(self) -> None:
        """Writes down what was taken; the caller commits."""
        if not self._states:
            return
        context = self._context
        self._journal.begin()
        self._store.set_states(self._states)
        self._store.set_users(self._users)
        self._store.set_groups(self._groups)
        ledger = Ledger(self._journal, context.pipeline, context.identity)
        ledger.add_created(context.job, self._created)
        ledger.add_resets(context.job, self._resets, sheet_sha256=context.sheet_sha256)
        ledger.remove(self._deleted)
        if self._context.keeps_values:
            ledger.last_values.add(self._given, created=set(self._users.values()))
            for group, refs, joined in self._members:
                ledger.last_values.add_members(group, refs, joined=joined)
            self._given.clear()
            self._members.clear()
        for taken in (self._states, self._users, self._groups, self._created, self._resets, self._deleted):
            taken.clear()


def _ref(result: Result) -> str:
    assert result.ref, "the portal's guard has looked for it"
    if storable(result.ref) != result.ref:
        cause = f"the id that it gave is no text, as it has half a character: {storable(result.ref)}"
        raise PluginError(plugin="backend", stage="writing", cause=cause)
    return result.ref
