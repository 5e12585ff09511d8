"""Takes suggestions on the way in, so that rules judge the rows as they are meant.

A suggestion is taken whole or not at all, into cells of the row's own; no password is ever touched. What was repaired
stays a problem: a warning, that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from musterroll.contract.fields import FieldSet
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.rows import Origin, Row
from musterroll.contract.translation import gettext
from musterroll.pipeline.severity import Severities
from musterroll.sheet.batch import RowBatch
from musterroll.sheet.checks import CELLS, Checks, Listener
from musterroll.sheet.problem_log import ProblemLog

# One repair may show what another one is needed for: first the calling code, then the number.
_ROUNDS = 3
SAFE = "safe"
_TYPED = (Origin.CELL, Origin.BLANK)


class Repair(NamedTuple):
    """One cell that a suggestion changes.

    Attributes:
        row: the row's number.
        column: the column, from 0.
        field: the field that stands there.
        before: what stood there; None where nothing did.
        text: what is to stand there.
        code: the problem that it is for.
    """

    row: int
    column: int
    field: str
    before: str | None
    text: str
    code: str


class RepairChoice(NamedTuple):
    """Which suggestions are taken.

    Attributes:
        codes: of these problems; None for all.
        guesses: whether guesses are taken as well.
    """

    codes: Collection[str] | None = None
    guesses: bool = False

    @classmethod
    def of(cls, said: Sequence[str]) -> RepairChoice | None:
        """Makes it of what a pipeline says: `safe`, or codes; None where nothing is repaired."""
        if not said:
            return None
        return cls() if said == SAFE else cls(frozenset(said))

    def takes(self, problem: Problem) -> bool:
        """Whether the suggestion of a problem is to be taken."""
        wanted = self.codes is None or problem.code in self.codes
        return wanted and problem.suggestion is not None and (problem.is_safe or self.guesses)


class Fix(NamedTuple):
    """What a person wants to be taken, once.

    Attributes:
        choice: which suggestions.
        take: is told of every cell that was changed, in the order of the rows.
    """

    choice: RepairChoice
    take: Callable[[Repair], None]


class Repairs:
    """Repairs rows, batch by batch.

    Args:
        choice: which suggestions are taken.
        fields: the fields of a user.
        severities: what problems are to this customer: what is ignored is not repaired.
        checks: makes what finds problems row by row, of the log that takes them and their listener; new for every
            round. A rule that needs the whole sheet is not among it: it would be asked about a row twice.
        log: takes what was repaired.
        listener: is told of it, if there is one.
        take: is told of every cell that was changed, in the order of the rows.
    """

    def __init__(
        self,
        choice: RepairChoice,
        fields: FieldSet,
        severities: Severities,
        checks: Callable[[RowProblems, Listener], Checks],
        log: ProblemLog,
        listener: Listener | None = None,
        take: Callable[[Repair], None] | None = None,
    ) -> None:
        self._choice, self._fields, self._severities = choice, fields, severities
        self._log, self._listener, self._take = log, listener, take
        self._rounds = [_Round(severities, checks) for _ in range(_ROUNDS)]

    def run(self, batches: Iterable[RowBatch]) -> Iterator[RowBatch]:
        """Streams the rows, repaired.

        Raises:
            PluginError: a rule broke; it says which, and at which row.
        """
        for batch in batches:
            yield self._repaired(batch)

    def _repaired(self, batch: RowBatch) -> RowBatch:
        told: list[tuple[str, Problem]] = []
        for one in self._rounds:
            looked_at = batch.with_texts({})  # rows that seem shifted are hidden in it
            texts: dict[int, dict[int, str]] = {}
            places = {number: place for place, number in enumerate(batch.numbers)}
            for label, problem in one.problems_of(looked_at):
                place = places.get(problem.row or 0)
                if place is None or not self._choice.takes(problem):
                    continue
                cells = self._cells(problem, label, looked_at[place], batch, texts.get(place, ()))
                if cells:
                    texts.setdefault(place, {}).update((cell.column, cell.text) for cell in cells)
                    told.append((label, problem))
                    if self._take is not None:
                        for cell in cells:
                            self._take(cell)
            if not texts:
                break
            batch = batch.with_texts(texts)
        for label, problem in told:
            repaired = as_repaired(problem)
            self._log.add_repaired(repaired)
            if self._listener is not None:
                self._listener(label, repaired)
        return batch

    def _cells(
        self, problem: Problem, label: str, row: Row, batch: RowBatch, taken: Collection[int]
    ) -> Sequence[Repair]:
        """The cells that a suggestion changes; none where one of them is not the row's own to change."""
        cells: list[Repair] = []
        for name, text in ((problem.field or "", problem.suggestion or ""), *problem.also):
            index, value = batch.indexes.get(name), row.value(name)
            is_own = value.origin in _TYPED or (label == CELLS and name == problem.field)
            if index is None or index in taken or not is_own or self._fields[name].secret:
                return ()
            before = problem.value if name == problem.field else value.raw
            if text != before:
                cells.append(Repair(row.number, index, name, before, text, problem.code))
        return cells


class RowProblems:
    """Takes the problems of the rows of a batch, and forgets them with it."""

    def __init__(self, severities: Severities) -> None:
        self._severities = severities
        self._hidden: set[int] = set()
        self.headings_fail = False

    def add(self, found: Problem) -> Problem | None:
        """Takes a problem of a row."""
        return self._severities.of(found)

    add_file = add

    def hide(self, row: int) -> None:
        """Notes that a row is not to be repaired."""
        self._hidden.add(row)

    def is_hidden(self, row: int | None) -> bool:
        """Whether a row is not to be repaired."""
        return row in self._hidden


class _Round:
    """One look at the rows, with rules of its own."""

    def __init__(self, severities: Severities, checks: Callable[[RowProblems, Listener], Checks]) -> None:
        self._found: list[tuple[str, Problem]] = []
        self._checks = checks(RowProblems(severities), lambda label, problem: self._found.append((label, problem)))

    def problems_of(self, batch: RowBatch) -> list[tuple[str, Problem]]:
        """Returns the problems of a batch with the rules that found them."""
        self._found.clear()
        self._checks.check(batch)
        return self._found


def as_repaired(problem: Problem) -> Problem:
    """Makes what is left of a problem whose suggestion was taken."""
    return replace(
        problem,
        message=gettext("Repaired on the way in. {problem}", problem=problem.message),
        severity=Severity.WARNING,
        is_repaired=True,
        also_rejects=(),
    )
