"""Problems by their cause: one record for all that one correction goes for, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy, deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.translation import counted, gettext

# So many ranges of cells are named, and so many causes are told apart: both bound what a million problems take.
_RANGES = 6
_CAUSES = 500
_FORMS = 3  # so many ways to say one cause are told apart, with their details
_FIRST = 5  # cells
# What differs in messages of one cause: what was typed, in the quotation marks of any language, and numbers.
_SLOT = late_pattern(r'("[^"]*"|„[^“]*“|“[^”]*”|«[^»]*»|[0-9]+)')
_SOMETHING = "…"
_SEVERITIES = tuple(Severity)  # errors come first


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemGroup:
    """Problems of one cause.

    Attributes:
        code: their code.
        severity: errors or warnings.
        field: the field that they are about, where there is one.
        message: what is wrong and what to do; what differs from one to the other is left out.
        count: how many there are.
        cells: where, e.g. `G3:G52, G60`; None where they are of the whole file.
        value: what was typed, where that is the same everywhere.
        suggestion: what to type instead: where that differs, one example.
        first_cells: the first few cells by themselves; of rows as a whole those in column A.
    """

    code: str
    severity: Severity
    field: str | None
    message: str
    count: int
    cells: str | None
    value: str | None
    suggestion: str | None
    first_cells: tuple[str, ...] = ()


@dataclass(slots=True)
class _Cells:
    """Cells of one column, or rows, in the order of the sheet."""

    column: str | None
    runs: list[list[int]] = field(default_factory=list)
    count: int = 0

    def add(self, row: int) -> None:
        if self.runs and row == self.runs[-1][1]:
            return
        self.count += 1
        if self.runs and row == self.runs[-1][1] + 1:
            self.runs[-1][1] = row
        elif len(self.runs) <= _RANGES:
            self.runs.append([row, row])
        else:  # the one behind those that are named
            self.runs[-1] = [row, row]

    def text(self) -> str | None:
        if not self.runs:
            return None
        named = self.runs[:_RANGES]
        more = self.count - sum(last - first + 1 for first, last in named)
        text = ", ".join(map(self._run, named))
        return gettext("{cells} and {count} more", cells=text, count=counted(more)) if more else text

    def first(self) -> tuple[str, ...]:
        rows = (row for first, last in self.runs[:_FIRST] for row in range(first, last + 1))
        return tuple(f"{self.column or 'A'}{row}" for row in islice(rows, _FIRST))

    def _run(self, run: list[int]) -> str:
        first, last = run
        if self.column is None:
            if first == last:
                return gettext("row {row}", row=first)
            return gettext("rows {first}:{last}", first=first, last=last)
        return f"{self.column}{first}" if first == last else f"{self.column}{first}:{self.column}{last}"


class _Group:
    """Problems of one cause, one by one; with `is_mixed` of several causes, in any columns."""

    def __init__(self, first: Problem, *, is_mixed: bool) -> None:
        self.first = first
        self.count = 0
        self.cells = _Cells(None if is_mixed else first.column)
        self._is_mixed = is_mixed
        said = _said(first.message)
        self._parts, self._slots = said.parts, said.slots
        self._one_form = self._one_value = self._one_suggestion = True
        # By what is said of them, once that differs; None where it differs too much.
        self._forms: dict[tuple[str, ...], _Group] | None = None if is_mixed else {}

    def add(self, problem: Problem, said: _Said) -> None:
        first = self.first
        is_same = problem.message == first.message
        if self._forms is not None and (self._forms or not is_same):
            self._add_to_form(problem, said, self._forms)
        self.count += 1
        if problem.row is not None:
            self.cells.add(problem.row)
        self._one_value = self._one_value and problem.value == first.value
        self._one_suggestion = self._one_suggestion and problem.suggestion == first.suggestion
        if self._one_form and not is_same:
            self._one_form = said.parts == self._parts
            if self._one_form:
                slots = zip(self._slots, said.slots, strict=True)
                self._slots = tuple([a if a == b else _SOMETHING for a, b in slots])

    def _add_to_form(self, problem: Problem, said: _Said, forms: dict[tuple[str, ...], _Group]) -> None:
        form = said.parts
        if form == self._parts and not forms:
            return
        if not forms and self.count:
            forms[self._parts] = self._so_far()
        if form not in forms:
            if len(forms) == _FORMS:
                self._forms = None
                return
            forms[form] = _Group(problem, is_mixed=False)
        forms[form].add(problem, said)

    def _so_far(self) -> _Group:
        one = copy(self)
        one.cells, one._forms = deepcopy(self.cells), {}
        return one

    def parts(self) -> Iterable[_Group]:
        """The group, or in its place those that it falls into by what is said of them, where these are few."""
        return self._forms.values() if self._forms else (self,)

    def _message(self) -> str:
        if self._is_mixed:
            return gettext("Problems of too many kinds to tell apart")
        if not self._one_form:
            return _said(self.first.message).cause.rstrip(".")
        filled = zip(self._parts, (*self._slots, ""), strict=True)
        return "".join(part + slot for part, slot in filled)

    def _suggestion(self) -> str | None:
        suggestion, cell = self.first.suggestion, self.first.cell
        if self._one_suggestion or suggestion is None:
            return suggestion if self._one_suggestion else None
        if not cell:
            return gettext("e.g. {suggestion}", suggestion=suggestion)
        return gettext("e.g. {suggestion} in {cell}", suggestion=suggestion, cell=cell)

    def record(self) -> ProblemGroup:
        return ProblemGroup(
            code=self.first.code,
            severity=self.first.severity,
            field=None if self._is_mixed else self.first.field,
            message=self._message(),
            count=self.count,
            cells=self.cells.text(),
            value=self.first.value if self._one_value else None,
            suggestion=self._suggestion(),
            first_cells=self.cells.first(),
        )


def group_problems(problems: Iterable[Problem]) -> tuple[ProblemGroup, ...]:
    """Groups problems by their cause: errors first, then warnings; those of the whole file, then the most frequent.

    Args:
        problems: in the order of the sheet; any number.
    """
    groups: dict[tuple[str | bool | None, ...], _Group] = {}
    for problem in problems:
        place = (problem.is_error, problem.code, problem.field, problem.column, problem.is_repaired)
        said = _said(problem.message)
        key: tuple[str | bool | None, ...] = (*place, said.cause)
        group = groups.get(key)
        if group is None:
            # With too many causes those of a code, and at last all others, are not told apart.
            keys = [key, (problem.is_error, problem.code), (problem.is_error,)]
            room = [len(groups) < limit for limit in (_CAUSES, 2 * _CAUSES)]
            key = next((key for key, has_room in zip(keys, room, strict=False) if key in groups or has_room), keys[-1])
            group = groups.setdefault(key, _Group(problem, is_mixed=len(key) < len(keys[0])))
        group.add(problem, said)
    # Python's sorting keeps the order of the sheet where nothing else decides.
    ordered = sorted(
        (part for group in groups.values() for part in group.parts()),
        key=lambda group: (_SEVERITIES.index(group.first.severity), group.first.row is not None, -group.count),
    )
    return tuple(group.record() for group in ordered)


class _Said(NamedTuple):
    """What a message says.

    Attributes:
        cause: what is wrong, without what differs from row to row, and without the details that follow a colon.
        parts: all that is said, before, between and after what differs.
        slots: what differs.
    """

    cause: str
    parts: tuple[str, ...]
    slots: tuple[str, ...]


@lru_cache(maxsize=1024)  # many problems have the same text
def _said(message: str) -> _Said:
    pieces = _SLOT.split(message)
    parts = tuple(pieces[::2])
    return _Said(_SOMETHING.join(parts).split(": ", 1)[0], parts, tuple(pieces[1::2]))
