"""`[hand_edits]`: what becomes of what somebody has changed in the portal by hand.

Three values are compared: what the user was given last, what the portal has, and what the sheet asks for. Where the
portal differs from both others, somebody has changed it there. Where it differs from the sheet alone, the sheet has
changed; what is not known to have been given is not told apart from that.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from musterroll.contract.fields import GROUPS, USERNAME
from musterroll.contract.problems import Problem
from musterroll.contract.rows import Row
from musterroll.contract.text import fold
from musterroll.contract.translation import gettext_noop
from musterroll.contract.users import Existing, group_text
from musterroll.journal.change import Agreed, FieldChange, HandEdit
from musterroll.journal.last_values import LastValues
from musterroll.journal.targets import Target
from musterroll.pipeline.settings import HAND_EDITS_DEFAULT, HandEditChoice, Settings

_NOTHING = LastValues({}, None)
_CHANGED = gettext_noop(
    'Somebody has changed this in the portal by hand: it is "{portal}" there, was "{written}", and the sheet says '
    '"{sheet}". Type into the sheet what is right; where that is the sheet\'s value, enter it in the portal'
)
_ADDED = gettext_noop(
    'Somebody has made the user a member of "{name}" in the portal by hand; add the group to the cell, or take the '
    "user out of it in the portal"
)
_REMOVED = gettext_noop(
    'Somebody has taken the user out of "{name}" in the portal by hand; take the group out of the cell, or make the '
    "user a member in the portal again"
)


@dataclass(slots=True)
class PlannedUpdate:
    """What a row does to an existing user.

    Attributes:
        user: as the portal has the user.
        asked: the attributes that the row asks for, as the portal will keep them.
        wanted: ids of the groups that the row asks for, as far as they exist; None where it says nothing of groups.
        fields: what is to be changed.
        add: groups to add the user to.
        remove: groups to take the user out of.
    """

    user: Existing
    asked: Mapping[str, str | None]
    wanted: Set[str] | None
    fields: dict[str, FieldChange]
    add: tuple[Target, ...]
    remove: tuple[Target, ...]


class HandEdits:
    """Finds hand edits, and leaves out of a plan what is to stay.

    Args:
        settings: the pipeline's settings.
    """

    def __init__(self, settings: Settings) -> None:
        self._choices = settings.hand_edits

    def __bool__(self) -> bool:
        """Whether the pipeline wants to know."""
        return bool(self._choices)

    def judge(
        self, row: Row, update: PlannedUpdate, last: LastValues | None, problems: list[Problem]
    ) -> tuple[tuple[HandEdit, ...], Agreed | None]:
        """Takes out of what is planned for a row what is to stay.

        Args:
            row: the row.
            update: what is planned; what stays is taken out of it.
            last: what the user was given last; None where that is not known.
            problems: takes hand edits that are errors.

        Returns:
            The hand edits, and what is to be known of the user from now on besides.
        """
        last = last or _NOTHING
        agreed = self._agreed(update, last)
        edits = [*self._of_fields(row, update, last, problems), *self._of_groups(row, update, last, problems)]
        kept = {edit.group or edit.field for edit in edits if edit.kept}
        if kept:
            update.fields = {name: change for name, change in update.fields.items() if name not in kept}
            update.add = tuple(target for target in update.add if target.path not in kept)
            update.remove = tuple(target for target in update.remove if target.path not in kept)
        return tuple(edits), agreed

    def _choice(self, field: str) -> HandEditChoice:
        return self._choices.get(field) or self._choices.get(HAND_EDITS_DEFAULT) or "overwrite"

    def _of_fields(self, row: Row, update: PlannedUpdate, last: LastValues, problems: list[Problem]) -> list[HandEdit]:
        found: list[HandEdit] = []
        for name, (portal, sheet) in update.fields.items():
            written = last.fields.get(name)
            if written is None or _same(name, portal or "", written):
                continue
            choice = self._choice(name)
            found.append(HandEdit(name, written or None, portal, sheet, choice == "keep"))
            if choice == "error":
                problems.append(
                    row.problem(
                        name,
                        f"{name}.hand_edit",
                        _CHANGED,
                        suggestion=str(portal) if portal else None,
                        portal=portal or "",
                        written=written,
                        sheet=sheet or "",
                    )
                )
        return found

    def _of_groups(self, row: Row, update: PlannedUpdate, last: LastValues, problems: list[Problem]) -> list[HandEdit]:
        if last.groups is None:
            return []
        choice = self._choice(GROUPS)
        removed = [target for target in update.add if target.ref in last.groups]
        added = [target for target in update.remove if target.ref not in last.groups]
        if choice == "error":
            for targets, message in ((removed, _REMOVED), (added, _ADDED)):
                problems += [
                    row.problem(GROUPS, f"{GROUPS}.hand_edit", message, name=group_text(target.path))
                    for target in targets
                ]
        keeps = choice == "keep"
        return [
            *(HandEdit(GROUPS, True, False, True, keeps, target.path) for target in removed),
            *(HandEdit(GROUPS, False, True, False, keeps, target.path) for target in added),
        ]

    def _agreed(self, update: PlannedUpdate, last: LastValues) -> Agreed | None:
        """What the portal has as the sheet asks for it, where that is not known to have been so before."""
        same = {name: value or "" for name, value in update.asked.items() if name not in update.fields}
        if USERNAME not in update.fields:
            same[USERNAME] = update.user.username
        fields = {name: value for name, value in same.items() if last.fields.get(name) != value}
        groups = None
        if update.wanted is not None:
            known, present = last.groups or frozenset(), update.user.groups
            # What neither the sheet nor the portal has is over; what both have is agreed.
            groups = frozenset(known & (update.wanted | present) | (update.wanted & present))
            if groups == last.groups:
                groups = None
        return Agreed(fields, groups) if fields or groups is not None else None


def _same(name: str, one: object, other: str) -> bool:
    return fold(str(one)) == fold(other) if name == USERNAME else one == other
