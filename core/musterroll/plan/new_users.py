"""Rows that make a user of whom nothing is to be said: most of a first sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from musterroll.contract.fields import PASSWORD, USERNAME
from musterroll.contract.messages import Recipient
from musterroll.contract.plain import takes_plain_way
from musterroll.contract.users import GroupPath
from musterroll.invites.policy import InvitePolicy
from musterroll.journal.change import InviteDecision, Made, PasswordAction
from musterroll.journal.new_rows import NewRows, new_fields
from musterroll.journal.plan import PlanStore
from musterroll.journal.targets import Target, numbers_text
from musterroll.plan.row import RowPlanner
from musterroll.sheet.batch import RowBatch
from musterroll.sheet.checks import CheckedRow

_SET, _NONE = PasswordAction.SET.value, PasswordAction.NONE.value
_REMEMBERED = 10_000  # combinations of groups


class NewUsers:
    """Plans such rows by their texts alone: what `RowPlanner` would say of them, without its objects.

    A row with a group that has not been planned before, with an error, or without what a user needs is left to it.

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
        self._taken, self._add = list[CheckedRow](), list[str | None]()
        if not self._looks:
            return
        self._batch = columns = batch.columns
        self._usernames = columns.texts(USERNAME)
        self._has_password = list(map(bool, columns.secrets(PASSWORD)))
        needed: list[Sequence[object]] = [self._usernames]
        if self._needs_password and not self._makes_passwords:
            needed.append(self._has_password)
        lacking = [place for texts in needed if not all(texts) for place, text in enumerate(texts) if not text]
        self._left = {*self._rows.suspects(columns), *lacking}

    def take(self, checked: CheckedRow) -> bool:
        """Takes a row that means nobody whom the portal has, to be stored with others; returns whether it is such."""
        _, place, groups, _, valid = checked
        if not (self._looks and valid) or place in self._left:
            return False
        if groups not in self._targets:
            known = self._rows.groups_of_new(groups)
            if known is None:
                return False
            if len(self._targets) >= _REMEMBERED:
                self._targets.clear()
            self._targets[groups] = numbers_text(known[0])
            self._keep(known[0])
        self._taken.append(checked)
        self._add.append(self._targets[groups])
        return True

    def store(self) -> None:
        """Stores what becomes of the rows of the batch that were taken."""
        if not self._taken:
            return
        batch, taken = self._batch, self._taken
        places = [checked.place for checked in taken]
        columns = [batch.texts(name) for name in self._names]
        fields = new_fields(self._names, columns) or ["{}"] * len(batch)
        numbers, folded = batch.numbers, batch.folded(USERNAME)
        has_password = self._has_password
        self._store.add_new(
            NewRows(
                rows=[numbers[place] for place in places],
                usernames=[self._usernames[place] for place in places],
                folded=[folded[place] for place in places],
                passwords=[_SET if self._makes_passwords or has_password[place] else _NONE for place in places],
                fields=[fields[place] for place in places],
                add=self._add,
                invites=self._against_all or [self._invite(checked, columns) for checked in taken],
                made=None if self._made is None else [self._made[place] for place in places],
            )
        )

    def _invite(self, checked: CheckedRow, columns: Sequence[Sequence[str]]) -> InviteDecision:
        username = self._usernames[checked.place]
        against = self._invites.reason_against(None, username, active=True)
        if against is not None:
            return against
        texts = (column[checked.place] for column in columns)
        return self._decide(checked, Recipient(username=username, fields=dict(zip(self._names, texts, strict=True))))
