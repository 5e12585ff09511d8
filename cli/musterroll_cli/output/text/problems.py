"""Problems: what was not read, then the others by their cause, errors first."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from musterroll import Problem, Severity, counted, gettext, gettext_noop, term
from musterroll.engine import ProblemGroup, Report
from musterroll_cli.output.console import Piece, Stream, Styled
from musterroll_cli.output.escape import shorten
from musterroll_cli.output.tables import Cells, Column, show_table
from musterroll_cli.output.text.words import amount

SHOWN = 50
"""So many causes are shown, unless the person asks for all, or a narrow terminal has room for fewer."""

_WIDE = 110  # places; below them a table would have a column of a few letters
# So many lines of a narrow terminal belong to what stands below the causes, and so many more to a job.
_BELOW, _OF_A_JOB = 11, 8
_FEWEST = 2
_MANY = 6  # from so many errors on it helps to be told where to begin
_FEW = 3  # so many problems of one cause are told each by itself, where they differ
_LOOKED_AT = 1_000  # so many problems at the most are read once more for that
_NAMED = 12  # so many codes

_COLUMNS = (
    Column(gettext_noop("Cells"), wraps=True, widest=32),
    Column(gettext_noop("Count"), right=True),
    Column(gettext_noop("Severity")),
    Column(gettext_noop("Code")),
    Column(gettext_noop("Message"), wraps=True),
)
_NEVER_SILENT = frozenset({"source.encoding_guessed"})
_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
_NOT_READ = frozenset({"row.after_blank", "row.guidance_is_data"})
# Said in every mode: something was left out, or read by a guess.
_ALWAYS = _NOT_READ | {"cell.without_heading"}


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is shown of a problem, or of several of one cause."""

    code: str
    severity: Severity
    cells: str
    count: int
    message: str
    instead: str

    @classmethod
    def of_group(cls, group: ProblemGroup) -> _Entry:
        instead = _instead(group.value, group.suggestion)
        return cls(group.code, group.severity, group.cells or gettext("sheet"), group.count, group.message, instead)

    @classmethod
    def of_problem(cls, one: Problem) -> _Entry:
        cells = gettext("sheet") if one.row is None else one.cell or gettext("row {row}", row=one.row)
        return cls(one.code, one.severity, cells, 1, one.message, _instead(one.value, one.suggestion))


def show_problems(
    stream: Stream, report: Report, groups: Sequence[ProblemGroup], *, verbose: bool, quiet: bool
) -> None:
    """Prints a report's problems.

    Args:
        stream: where to.
        report: what a command found.
        groups: its problems by their cause.
        verbose: each problem by itself before their causes, and all causes.
        quiet: errors only, and what must never go unsaid.
    """
    groups = [group for group in groups if not quiet or _is_vital(group)]
    if not groups:
        return
    if verbose and sum(group.count for group in groups) > len(groups):
        each = chain.from_iterable(
            (problem for problem in report.problems() if problem.severity is severity) for severity in Severity
        )
        _show(stream, map(_Entry.of_problem, each))
        stream.gap()
    unread = _not_read(stream, groups)
    entries = list(_entries(report, [group for group in groups if group.code not in _NOT_READ]))
    for line in unread:
        stream.line(Styled(line, "bold yellow"))
    if unread and entries:
        stream.gap()
    below = _BELOW + len(unread) + (_OF_A_JOB if report.job is not None else 0)
    shown = len(entries) if verbose else _room(stream, entries, below)
    _show(stream, entries[:shown])
    if hidden := entries[shown:]:
        _show_hidden(stream, hidden)
    stream.gap()


def _entries(report: Report, groups: Sequence[ProblemGroup]) -> Iterator[_Entry]:
    """What is shown of groups: of few problems that differ, each, so that whoever corrects them knows all of it."""
    few = {(group.code, cell) for group in groups if 1 < group.count <= _FEW for cell in group.first_cells}
    found: dict[tuple[str, str | None], list[Problem]] = {key: [] for key in few}
    if few and sum(group.count for group in groups) <= _LOOKED_AT:
        for one in report.problems():
            found.get((one.code, one.cell), []).append(one)
    for group in groups:
        each = [one for cell in group.first_cells for one in found.get((group.code, cell), ())]
        if len(each) == group.count and len({(one.message, one.suggestion) for one in each}) > 1:
            yield from map(_Entry.of_problem, each)
        else:
            yield _Entry.of_group(group)


def first_step(groups: Sequence[ProblemGroup]) -> str | None:
    """Says where to begin with many errors; None where that goes without saying."""
    errors = [group for group in groups if group.severity is Severity.ERROR]
    if len(errors) < 2 or sum(group.count for group in errors) < _MANY:
        return None
    first = errors[0]  # of the whole sheet, or the most frequent
    if first.cells is None:
        return gettext("Begin with {code}: the others may come of it.", code=first.code)
    if first.count < 2:
        return None
    return gettext("Begin with {cells}: {errors} of one kind.", cells=first.cells, errors=amount(first.count, "error"))


def _not_read(stream: Stream, groups: Iterable[ProblemGroup]) -> list[str]:
    texts = [gettext("not read: {message}", message=group.message) for group in groups if group.code in _NOT_READ]
    if _is_wide(stream):
        return texts
    return [line for text in texts for line in _wrapped(stream, text)]


def _wrapped(stream: Stream, text: str, *, indent: int = 0) -> list[str]:
    # Measured as the stream will write it, since what is made visible can become longer.
    return textwrap.wrap(stream.seen(text), max((stream.width or _WIDE) - 1 - indent, 20))


def _is_vital(group: ProblemGroup) -> bool:
    return group.severity is Severity.ERROR or group.code in _ALWAYS or group.code.startswith("source.")


def _instead(value: str | None, suggestion: str | None) -> str:
    return " → ".join(shorten(text) for text in (value or "", suggestion) if text is not None).lstrip()


def _is_wide(stream: Stream) -> bool:
    return stream.width is None or stream.width >= _WIDE


def _room(stream: Stream, entries: Sequence[_Entry], below: int) -> int:
    """How many causes are shown: on a narrow terminal only as many as can be seen at once with what follows them."""
    if _is_wide(stream) or stream.height is None:
        return SHOWN
    lines, room = 0, max(stream.height - below, 0)
    for number, entry in enumerate(entries[:SHOWN]):
        lines += len(_block(stream, entry))
        if lines > room and number >= _FEWEST:
            return number
    return SHOWN


def _show(stream: Stream, entries: Iterable[_Entry]) -> None:
    if _is_wide(stream):
        show_table(stream, _COLUMNS, map(_row, entries))
        return
    for entry in entries:
        for pieces in _block(stream, entry):
            stream.line(*pieces)


def _row(entry: _Entry) -> Cells:
    style = _STYLES[entry.severity]
    return (
        entry.cells,
        f"{counted(entry.count)} ×" if entry.count > 1 else "",
        Styled(term(entry.severity), style),
        entry.code,
        (entry.message, Styled(f"  [{entry.instead}]", "green")) if entry.instead else entry.message,
    )


def _block(stream: Stream, entry: _Entry) -> list[tuple[Piece, ...]]:
    """A problem in two lines, or more where the message is long: where and what, and below it what to do."""
    width = stream.width or _WIDE
    count = f"  {counted(entry.count)} ×" if entry.count > 1 else ""
    head = f"{term(entry.severity)}  {entry.cells}{count}  {entry.code}"
    first: tuple[Piece, ...] = (
        Styled(term(entry.severity), _STYLES[entry.severity]),
        f"  {entry.cells}{count}  ",
        Styled(entry.code, "dim"),
    )
    fits = len(head) + 2 + len(entry.instead) < width
    if entry.instead and fits:
        first = (*first, Styled(f"  {entry.instead}", "green"))
    lines: list[tuple[Piece, ...]] = [first, *((f"  {line}",) for line in _wrapped(stream, entry.message, indent=2))]
    if entry.instead and not fits:
        lines.append((Styled(f"  {entry.instead}", "green"),))
    return lines


def _show_hidden(stream: Stream, hidden: Sequence[_Entry]) -> None:
    """Prints how many there are of which code that are not shown."""
    parts = []
    for severity in Severity:
        counts: Counter[str] = Counter()
        for entry in hidden:
            if entry.severity is severity:
                counts[entry.code] += entry.count
        if counts:
            named = ", ".join(
                f"{counted(count)} {code}" if count > 1 else code for code, count in counts.most_common(_NAMED)
            )
            others = ", …" if len(counts) > _NAMED else ""
            parts.append(f"{amount(counts.total(), f'more {severity}')} ({named}{others})")
    text = gettext("… and {kinds}. --verbose shows all.", kinds="; ".join(parts))
    for line in [text] if _is_wide(stream) else _wrapped(stream, text):
        stream.line(line)
