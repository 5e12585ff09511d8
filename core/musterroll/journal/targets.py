"""The groups that a job touches, and how a row has them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from musterroll.contract.users import GroupPath
from musterroll.journal.damage import decoded

if TYPE_CHECKING:  # groups of a sheet are told by what is here, without a journal
    from musterroll.journal.journal import Journal

_MOST_KNOWN = 20_000  # texts of groups


@dataclass(frozen=True, slots=True)
class Target:
    """A group that a plan may touch.

    Attributes:
        path: its levels; the stored spelling, or that of the first row that names it.
        id: its number in the plan; None where that is not known, as in a file.
        parent: the number of the group above.
        ref: the backend's id; None for a group that does not exist.
    """

    path: GroupPath
    id: int | None = field(default=None, compare=False)
    parent: int | None = field(default=None, compare=False)
    ref: str | None = field(default=None, compare=False)


def numbers_text(targets: Iterable[Target]) -> str | None:
    """Returns the numbers of groups as the journal has them."""
    text = ",".join(str(target.id) for target in targets)
    return f"[{text}]" if text else None


class StoredGroups:
    """Makes groups of their numbers, as a row has them. Many rows have the same ones.

    Args:
        targets: the job's groups by number.
    """

    def __init__(self, targets: Mapping[int, Target]) -> None:
        self._targets = targets
        self._known: dict[str | None, tuple[Target, ...]] = {None: ()}

    def of(self, numbers: str | None) -> tuple[Target, ...]:
        """Returns the groups.

        Raises:
            ValueError, TypeError, LookupError: the journal is damaged.
        """
        groups = self._known.get(numbers)
        if groups is None:
            if len(self._known) > _MOST_KNOWN:
                self._known = {None: ()}
            groups = self._known[numbers] = tuple(self._targets[number] for number in json.loads(numbers or ""))
        return groups


@decoded
def load_targets(journal: Journal, job: str) -> dict[int, Target]:
    """Returns the groups that a job touches, by number."""
    found = journal.execute("SELECT id, path, parent, ref FROM target WHERE job = ?", (job,))
    return {id_: Target(tuple(json.loads(path)), id_, parent, ref) for id_, path, parent, ref in found}
