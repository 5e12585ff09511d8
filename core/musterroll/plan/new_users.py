"""Rows that make a user of whom nothing is to be said: most of a first sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from musterroll.contract.fields import PASSWORD, USERNAME
from musterroll.contract.messages import Recipient
from musterroll.contract.plain import takes_plain_way
from musterroll.contract.users import GroupPath
from musterroll.invites.policy import InvitePolicy
from musterroll.journal.change import InviteDecision, Made, NewUser, PasswordAction, Target, new_fields, numbers_text
from musterroll.journal.plan import PlanStore
from musterroll.plan.row import RowPlanner
from musterroll.sheet.batch import RowBatch
from musterroll.sheet.checks import CheckedRow

_SET, _NONE = PasswordAction.SET.value, PasswordAction.NONE.value


class NewUsers:
    """Plans such rows by their texts alone: what `RowPlanner` would say of them, without its objects.

    A row whose groups have not been planned before, with an error, or without what a user needs is left to it.

    Args:
        rows: plans all other rows; what it has found out of groups counts here.
        names: of the attributes of a user.
        needs_password: whether a new user without one is a problem.
        makes_passwords: whether one is made for a new user without one.
        invites: the policy of invites.
        decide: decides about an invite that nothing speaks against.
        keep: stores groups, unless they are.
        store: takes the users.
    """

    def __init__(
        self,
        rows: RowPlanner,
        names: tuple[str, ...],
        invites: InvitePolicy,
        store: PlanStore,
        *,
        needs_password: bool,
        makes_passwords: bool,
        decide: Callable[[CheckedRow, Recipient], InviteDecision],
        keep: Callable[[Iterable[Target]], None],
    ) -> None:
        self._rows, self._names, self._needs_password = rows, names, needs_password
        self._invites, self._decide, self._keep, self._store = invites, decide, keep, store
        self._makes_passwords = makes_passwords
        self._against_all = invites.reason_against_all_new()
        self._looks = rows.knows_new_users and not takes_plain_way()
        self._targets: dict[tuple[GroupPath, ...], str | None] = {}  # numbers of groups that are stored

    def begin(self, batch: RowBatch, made: Sequence[Made] | None) -> None:
        """Takes the batch whose rows may be such, and what was made for them, where anything can be."""
        self._made = made
        if not self._looks:
            return
        columns = batch.columns
        self._suspects = self._rows.suspects(columns)
        self._usernames, self._folded = columns.texts(USERNAME), columns.folded(USERNAME)
        self._has_password = list(map(bool, columns.secrets(PASSWORD)))
        self._columns = [columns.texts(name) for name in self._names]
        self._fields: list[str] = []  # written when the first of them is needed

    def take(self, checked: CheckedRow) -> bool:
        """Stores what becomes of a row that means nobody whom the portal has; returns whether it is such a row."""
        _, place, groups, _, valid = checked
        if not (self._looks and valid) or place in self._suspects:
            return False
        username, has_password = self._usernames[place], self._has_password[place]
        if not (username and (has_password or self._makes_passwords or not self._needs_password)):
            return False
        if groups not in self._targets:
            known = self._rows.groups_of_new(groups)
            if known is None:
                return False
            self._targets[groups] = numbers_text(known[0])
            self._keep(known[0])
        if not self._fields:
            self._fields = new_fields(self._names, self._columns) or ["{}"] * len(self._usernames)
        invite = self._against_all or self._invites.reason_against(None, username, active=True)
        if invite is None:
            texts = (column[place] for column in self._columns)
            recipient = Recipient(username=username, fields=dict(zip(self._names, texts, strict=True)))
            invite = self._decide(checked, recipient)
        password = _SET if has_password or self._makes_passwords else _NONE
        fields, add = self._fields[place], self._targets[groups]
        made = None if self._made is None else self._made[place]
        self._store.add_new(NewUser(checked.number, username, self._folded[place], password, fields, add, invite, made))
        return True
