"""Plans what takes a job back: the opposite of what it did, wherever the portal still is as the job left it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from musterroll.contract.fields import USERNAME
from musterroll.contract.operations import Kind
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.roles import UserBackend
from musterroll.contract.users import Capabilities, Existing, UserKey
from musterroll.journal.change import Action, Change, FieldChange, InviteDecision, PasswordAction, Scalar
from musterroll.journal.done import DoneRow, DoneTarget, done_rows, done_targets
from musterroll.journal.journal import Journal
from musterroll.journal.kinds import shown_row
from musterroll.journal.plan import PlanStore
from musterroll.portal.protection import Protection
from musterroll.sheet.problem_log import ProblemLog

# So many users are looked up at once.
_BATCH = 500
ACTIVE = "active"
_NO_INVITE = InviteDecision(send=False, reason="an undo invites nobody")


@dataclass(slots=True)
class _Reversal:
    """What takes one row back, and what stays as it is, with the reason."""

    action: Action = Action.UNCHANGED
    fields: dict[str, FieldChange] = field(default_factory=dict)
    add: list[int] = field(default_factory=list)
    remove: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class UndoPlanner:
    """Plans the undo of one job.

    Args:
        backend: the portal; only asked, never written to.
        created: what becomes of users that the job created.
        protection: the users that nothing touches.
        store: takes the plan.
        log: takes what is kept (errors) and what is beyond recall (warnings).
    """

    def __init__(
        self,
        *,
        backend: UserBackend,
        created: Literal["deactivate", "delete"],
        protection: Protection,
        store: PlanStore,
        log: ProblemLog,
    ) -> None:
        self._backend = backend
        self._created = created
        self._protection = protection
        self._store = store
        self._log = log
        self._targets: dict[int, DoneTarget] = {}
        self._can: Capabilities = backend.capabilities()
        self._groups = frozenset(group.ref for group in backend.groups()) if self._can.groups else frozenset()

    def plan(self, journal: Journal, job: str) -> Iterator[int]:
        """Plans the undo of a stored job; yields how many rows are done, batch by batch."""
        self._add_targets(done_targets(journal, job))
        rows = done_rows(journal, job)
        while batch := list(islice(rows, _BATCH)):
            present = self._look_up(batch)
            for done in batch:
                self._store_reversal(done, self._reversal(done, present.get(done.ref or "")))
            self._store.flush()
            yield len(batch)

    def _add_targets(self, targets: Sequence[DoneTarget]) -> None:
        for target in targets:
            if target.ref not in self._groups:
                continue
            self._targets[target.id] = target
            parent = target.parent if target.parent in self._targets else None
            deletes = target.created and self._can.delete
            self._store.add_target(target.id, target.path, parent, target.ref, deletes=deletes)
            if target.created and not deletes:
                name = "|".join(target.path)
                self._log.add_file(
                    Problem(code="undo.kept", message=f'The portal cannot delete the group "{name}"; it stays')
                )

    def _look_up(self, batch: Sequence[DoneRow]) -> Mapping[str, Existing]:
        """The users of a batch by ref, found by the name that the job left them with."""
        keys = {UserKey.of(USERNAME, _name_after(done)) for done in batch if done.ref}
        found = self._backend.lookup(list(keys)) if keys else {}
        wanted = {done.ref for done in batch}
        return {user.ref: user for users in found.values() for user in users if user.ref in wanted}

    def _reversal(self, done: DoneRow, user: Existing | None) -> _Reversal:
        reversal = _Reversal()
        if done.invited:
            reversal.problems.append(
                Problem(
                    code="undo.invite",
                    message=f"{done.username} was invited; that cannot be called back",
                    severity=Severity.WARNING,
                    row=shown_row(done.row),
                )
            )
        if user is None:
            why = "is gone, or was renamed since" if done.ref else "may have been created, or not; look into the portal"
            reversal.problems.append(_kept(done, f"{done.username} {why}; nothing was taken back"))
        elif pattern := self._protection.of(user.username, done.username):
            reversal.problems.append(
                _kept(done, f'{done.username} is protected by "{pattern}"; nothing was taken back')
            )
        elif Kind.CREATE_USER in done.kinds:
            self._take_out(done, user, reversal)
        else:
            self._restore(done, user, reversal)
        return reversal

    def _take_out(self, done: DoneRow, user: Existing, reversal: _Reversal) -> None:
        """A user that the job created, and that nobody has changed since, is deactivated or deleted."""
        changed = [name for name, change in done.fields.items() if _present(user, name) != change.after]
        joined = user.groups - {self._targets[target].ref for target in done.added if target in self._targets}
        if changed or joined:
            what = ", ".join([*changed, *(["groups"] if joined else [])])
            reversal.problems.append(_kept(done, f"{done.username} was changed since ({what}) and stays as is"))
            return
        if self._created == "delete" and self._can.delete:
            reversal.action = Action.DELETE
        elif not self._can.deactivate:
            reversal.problems.append(
                _kept(done, f"The portal cannot deactivate {done.username}; remove the user there")
            )
            return
        elif user.active:
            reversal.action = Action.DEACTIVATE
        self._leave_groups(done, user, reversal)

    def _restore(self, done: DoneRow, user: Existing, reversal: _Reversal) -> None:
        """A user that was there before gets back what the job changed, unless it was changed since."""
        changed: list[str] = []
        for name, change in done.fields.items():
            if not _was_changed(name, done.kinds):
                continue
            present = _present(user, name)
            if present == change.after:
                reversal.fields[name] = FieldChange(change.after, change.before)
            elif present != change.before:
                changed.append(name)
        if changed:
            reversal.problems.append(_kept(done, f"{done.username} was changed since; kept: {', '.join(changed)}"))
        if done.password is PasswordAction.RESET and Kind.UPDATE_USER in done.kinds:
            text = f"The password of {done.username} was reset; the former one is not known"
            reversal.problems.append(
                Problem(code="undo.password", message=text, severity=Severity.WARNING, row=shown_row(done.row))
            )
        self._leave_groups(done, user, reversal)
        for target in done.removed:
            group = self._targets.get(target)
            if group is None:
                reversal.problems.append(_kept(done, f"A group that {done.username} was taken out of is gone"))
            elif group.ref not in user.groups:
                reversal.add.append(target)
        if reversal.fields or reversal.add or reversal.remove:
            reversal.action = Action.UPDATE

    def _leave_groups(self, done: DoneRow, user: Existing, reversal: _Reversal) -> None:
        reversal.remove += [
            target for target in done.added if target in self._targets and self._targets[target].ref in user.groups
        ]

    def _store_reversal(self, done: DoneRow, reversal: _Reversal) -> None:
        for problem in reversal.problems:
            if problem.row is None:
                self._log.add_file(problem)
            else:
                self._log.add(problem)
        change = Change(
            row=done.row,
            username=_name_after(done),
            action=reversal.action,
            password=PasswordAction.KEEP,
            fields=reversal.fields,
            invite=_NO_INVITE,
            ref=done.ref,
        )
        self._store.add_change(change, add=reversal.add, remove=reversal.remove, notifier=None, recipient=None)


def _name_after(done: DoneRow) -> str:
    """The username that the job left the user with."""
    renamed = done.fields.get(USERNAME)
    return done.username if renamed is None or Kind.UPDATE_USER not in done.kinds else str(renamed.after)


def _was_changed(name: str, kinds: frozenset[Kind]) -> bool:
    """Whether the operation that was to change a field was carried out."""
    return bool(kinds & {Kind.REACTIVATE, Kind.DEACTIVATE}) if name == ACTIVE else Kind.UPDATE_USER in kinds


def _present(user: Existing, name: str) -> Scalar:
    if name == ACTIVE:
        return user.active
    return user.username if name == USERNAME else user.fields.get(name) or None


def _kept(done: DoneRow, message: str) -> Problem:
    return Problem(code="undo.kept", message=message, row=shown_row(done.row))
