"""`absent`: what becomes of users that this pipeline manages and that are missing from the sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice

from musterroll.contract.fields import USERNAME, FieldSet
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.translation import gettext, ngettext
from musterroll.contract.users import Existing, group_text
from musterroll.journal.change import FIRST_OFF_SHEET_ROW, Action, Change, FieldChange, PasswordAction
from musterroll.journal.plan import PlanStore
from musterroll.journal.roster import Roster
from musterroll.plan.privileged import PrivilegedGroups
from musterroll.plan.user_digest import digest_of
from musterroll.portal.lookups import look_up_known
from musterroll.portal.patterns import Patterns
from musterroll.portal.portal import Portal
from musterroll.sheet.problem_log import ProblemLog
from musterroll.sheet.scope import Scope

# So many users are looked up at once.
_BATCH = 500
_ACTIVE_NO_MORE = {"active": FieldChange(before=True, after=False)}


@dataclass(slots=True)
class Uncertain:
    """Rows that leave open who is in the sheet: they are rejected, and whom they mean is not certain.

    Attributes:
        row: the first row that does not say whom it means.
        refs: refs of users that a row may mean, besides others.
    """

    row: int | None = None
    refs: set[str] = field(default_factory=set)


class AbsentUsers:
    """Finds the absent users, and plans what becomes of them.

    Args:
        deactivates: whether they are deactivated; else they are reported.
        portal: only asked.
        roster: whom this pipeline manages.
        protection: who is left alone.
        privileged: the groups that must not lose their last active member.
        scope: whom the sheet is about; others cannot be missing from it.
        fields: the fields of a user.
        store: takes the plan; that of the sheet's rows is in it already.
        log: takes the problems.
    """

    def __init__(
        self,
        *,
        deactivates: bool,
        portal: Portal,
        roster: Roster,
        protection: Patterns,
        privileged: PrivilegedGroups,
        scope: Scope,
        fields: FieldSet,
        store: PlanStore,
        log: ProblemLog,
    ) -> None:
        self._deactivates = deactivates
        self._portal = portal
        self._roster = roster
        self._protection = protection
        self._privileged = privileged
        self._scope = scope
        self._fields = fields
        self._store = store
        self._log = log

    def plan(self, uncertain: Uncertain) -> Iterator[int]:
        """Plans what becomes of the absent users; yields how many are done, batch by batch.

        Raises:
            BackendError: the portal cannot answer.
            PluginError: the backend broke.
        """
        if self._deactivates and self._log.has("row.after_blank"):
            self._refuse(uncertain)
            return
        numbers = count(FIRST_OFF_SHEET_ROW)
        for batch in self._absent(uncertain):
            for user in batch:
                if not self._deactivates:
                    self._report(user, '"{user}" is in the portal, managed by this pipeline, but not in the sheet')
                elif uncertain.row is not None:
                    self._report(
                        user,
                        '"{user}" is in the portal, managed by this pipeline, but not in the sheet; not deactivated, '
                        "because row {row} does not say whom it means",
                        row=uncertain.row,
                    )
                else:
                    self._deactivate(next(numbers), user)
            self._store.flush()
            yield len(batch)

    def _absent(self, uncertain: Uncertain) -> Iterator[Sequence[Existing]]:
        """Streams the active, unprotected users that are missing from the sheet, in batches."""
        missing = ((ref, name) for ref, name in self._missing() if ref not in uncertain.refs)
        while batch := dict(islice(missing, _BATCH)):
            users = look_up_known(self._portal, batch).values()
            found = (user for user in users if user.active and not self._protection.of(user.username))
            yield [user for user in found if self._scope.has(user)]

    def _missing(self) -> Iterator[tuple[str, str]]:
        """Walks the managed users and those of the sheet side by side: both come by ascending ref."""
        present = self._store.refs()
        at = next(present, None)
        for ref, username in self._roster.managed():
            while at is not None and at < ref:
                at = next(present, None)
            if at != ref:
                yield ref, username

    def _deactivate(self, number: int, user: Existing) -> None:
        change = Change(
            row=None,
            number=number,
            username=user.username,
            action=Action.DEACTIVATE,
            password=PasswordAction.KEEP,
            fields=_ACTIVE_NO_MORE,
            ref=user.ref,
            user_digest=digest_of(user, self._fields.attributes),
        )
        emptied = self._privileged.emptied_by(change, user) if self._privileged else None
        if emptied is None:
            self._store.add(change)
        else:
            self._report(
                user,
                '"{user}" is in the portal, managed by this pipeline, but not in the sheet; not deactivated, because '
                '"{group}", a privileged group, may have no other active member',
                group=group_text(emptied),
            )

    def _report(self, user: Existing, message: str, **values: object) -> None:
        self._log.add_absent(
            Problem(
                code="user.absent",
                message=gettext(message, user=user.username, **values),
                severity=Severity.WARNING,
                field=USERNAME,
                value=user.username,
            )
        )

    def _refuse(self, uncertain: Uncertain) -> None:
        """Whoever stands behind the blank row is not absent."""
        first, absent = None, 0
        for batch in self._absent(uncertain):
            absent += len(batch)
            first = first or next((user.username for user in batch), None)
        if first is not None:
            message = ngettext(
                'The import stopped at a blank row, and filled rows follow. "{user}" would count as missing from the '
                'sheet and be deactivated; delete the blank row, or set on_blank_row to "skip"',
                'The import stopped at a blank row, and filled rows follow. "{user}" and {others} more would count as '
                'missing from the sheet and be deactivated; delete the blank row, or set on_blank_row to "skip"',
                absent,
                user=first,
                others=f"{absent - 1:,}",
            )
            self._log.add_file(Problem(code="sheet.incomplete", message=message))
