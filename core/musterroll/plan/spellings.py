"""What a whole sheet shows of its groups: slips of the pen, and two groups in one name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from musterroll.contract.fields import GROUPS
from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.rows import Row
from musterroll.contract.text import clean
from musterroll.contract.translation import gettext, ngettext
from musterroll.contract.users import GroupPath, fold_path, group_text
from musterroll.plan.near_names import NearPaths
from musterroll.sheet.proofs import Groups

if TYPE_CHECKING:  # a sheet that is looked at alone is compared with no portal
    from musterroll.plan.groups import GroupIndex

_COMMA = late_pattern("[,，،、]")
_SLASH = late_pattern("[/／]")
_KEPT = 20_000  # so many rows' groups are known without another look


@dataclass(slots=True)
class _Seen:
    """A group, or one above it, as the sheet has it.

    Attributes:
        row: the first row that names it.
        others: how many other rows do.
        typed: the cell of that row.
    """

    row: int
    others: int
    typed: str | None


class GroupSpellings:
    """Remembers each distinct group of a sheet, and says at its end which ones seem to be misspelt.

    `groups.near_match`: a group that stands in one row only and is almost the name of another; or a name with a comma
    (or a slash) in it whose parts are groups.
    """

    def __init__(self) -> None:
        self._seen: dict[GroupPath, _Seen] = {}
        self._column: str | None = None
        # By identity: equal groups are one object mostly, which is kept, so that nothing else gets its identity.
        self._known: dict[int, tuple[Groups, list[_Seen]]] = {}
        self._rows = Counter[int]()  # so many rows have them that are not among the others yet

    def note(self, groups: Sequence[Groups], rows: Sequence[Row]) -> None:
        """Takes the groups of rows, which follow those of the last call; of few of them the row itself is needed."""
        if len(self._known) > _KEPT:
            self._count()
            self._known.clear()
        identities, before = list(map(id, groups)), len(self._rows)
        self._rows.update(identities)
        if len(self._rows) > before:
            for identity, named in dict(zip(identities, groups, strict=True)).items():
                if identity not in self._known:
                    self._known[identity] = self._look(named, groups, rows)

    def _count(self) -> None:
        for identity, count in self._rows.items():
            for seen in self._known[identity][1]:
                seen.others += count
        self._rows.clear()

    def _look(self, named: Groups, groups: Sequence[Groups], rows: Sequence[Row]) -> tuple[Groups, list[_Seen]]:
        """Finds what is remembered of the groups of a row; of a new one, that no other row has it so far."""
        paths = dict.fromkeys(named)
        for path in paths:
            if path not in self._seen:
                row = rows[groups.index(named)]
                value = row.value(GROUPS)
                self._column = row.columns.get(GROUPS)
                self._seen[path] = _Seen(row.number, -1, value.raw or value.text or None)
        return named, [self._seen[path] for path in paths]

    def problems(self, existing: GroupIndex | None = None) -> Iterator[Problem]:
        """Yields the problems; of groups that the portal has, or almost has, none."""
        if len(self._seen) < 2 and existing is None:
            return
        self._count()
        names = self._names()
        near = _Near(names)
        for path, seen in self._seen.items():
            if existing is not None and (existing.exists(path) or existing.near(path) is not None):
                continue
            parts = _parts(path, names, existing)
            if parts is not None:
                yield self._several(path, seen, parts)
            elif seen.others == 0 and (other := near.of(path)) is not None:
                yield self._slip(path, seen, other)

    def _names(self) -> dict[GroupPath, _Name]:
        names: dict[GroupPath, _Name] = {}
        for path, seen in self._seen.items():
            folded = fold_path(path)
            only = seen.row if seen.others == 0 else None
            for depth in range(1, len(path) + 1):
                known = names.get(folded[:depth])
                if known is None:
                    names[folded[:depth]] = _Name(path[:depth], only)
                elif known.only != only:
                    known.only = None
        return names

    def _several(self, path: GroupPath, seen: _Seen, parts: list[GroupPath]) -> Problem:
        rows = ngettext(" (in {count} more row too)", " (in {count} more rows too)", seen.others) if seen.others else ""
        suggestion = ";".join(group_text(part) for part in parts)
        message = gettext(
            '"{group}"{rows} counts as one group, but seems to be {number}; groups are separated with ";": {groups}',
            group="|".join(path),
            rows=rows,
            number=len(parts),
            groups=suggestion,
        )
        return self._problem(path, seen, message, suggestion)

    def _slip(self, path: GroupPath, seen: _Seen, other: GroupPath) -> Problem:
        suggestion = group_text(other)
        message = gettext(
            'The group "{group}" stands in this row only; did you mean "{near}"?',
            group="|".join(path),
            near=suggestion,
        )
        return self._problem(path, seen, message, suggestion)

    def _problem(self, path: GroupPath, seen: _Seen, message: str, suggestion: str) -> Problem:
        return Problem(
            code="groups.near_match",
            message=message,
            severity=Severity.WARNING,
            row=seen.row,
            column=self._column,
            field=GROUPS,
            value=seen.typed,
            suggestion=suggestion if seen.typed is None else _in_cell(seen.typed, group_text(path), suggestion),
        )


@dataclass(slots=True)
class _Name:
    """A group, or one above it: its first spelling, and its row where only one row names it."""

    path: GroupPath
    only: int | None


class _Near:
    """Finds what a group that stands in one row only may have been meant to be."""

    def __init__(self, names: dict[GroupPath, _Name]) -> None:
        self._names = names
        # What several rows name comes first: of two that stand in one row each, the first is right.
        self._order = sorted(names, key=lambda folded: names[folded].only is not None)
        self._numbers = {folded: number for number, folded in enumerate(self._order)}
        self._paths: NearPaths | None = None
        self._alike: set[int] = set()

    def of(self, path: GroupPath) -> GroupPath | None:
        if self._paths is None:
            self._paths = NearPaths(self._order)
            self._alike = self._paths.alike()
        folded = fold_path(path)
        for depth in range(1, len(path) + 1):
            level = folded[:depth]
            number = self._numbers[level]
            if self._names[level].only is None or number not in self._alike:
                continue
            found = self._paths.find(level)
            if found is not None and found < number and self._is_likely(level, self._order[found]):
                return (*self._names[self._order[found]].path, *path[depth:])
        return None

    def _is_likely(self, folded: GroupPath, other: GroupPath) -> bool:
        """Whether one is likely to be the other: where both stand once, another letter makes Packing of Picking."""
        same_letters = sorted("|".join(folded)) == sorted("|".join(other))
        return self._names[other].only is None or same_letters or len("".join(folded)) != len("".join(other))


def _parts(path: GroupPath, names: dict[GroupPath, _Name], existing: GroupIndex | None) -> list[GroupPath] | None:
    """Returns the groups that a name with commas or slashes seems to be; None where it is one."""

    def is_known(part: GroupPath) -> bool:
        return fold_path(part) in names or (existing is not None and existing.exists(part))

    text = "|".join(path)
    for sign, enough in ((_COMMA, any), (_SLASH, all)):
        if not sign.search(text):
            continue
        parts = [tuple(clean(level) for level in part.split("|")) for part in sign.split(text)]
        if not all(all(part) for part in parts):
            continue
        # The levels above may be left out after the first: Region|North, South.
        full = [parts[0], *((*parts[0][:-1], *part) for part in parts[1:])]
        chosen = [
            long if is_known(long) and not is_known(part) else part for part, long in zip(parts, full, strict=True)
        ]
        if enough(is_known(part) for part in chosen):
            return chosen
    return None


def _in_cell(typed: str, group: str, instead: str) -> str:
    """The text of a cell with another group in the place of one; that group alone where it is written otherwise."""
    return typed.replace(group, instead) if typed.count(group) == 1 else instead
