"""Problems as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from musterroll.problems import Problem, Severity
from musterroll_cli.console import Stream, Styled
from musterroll_cli.escape import shorten
from musterroll_cli.tables import Cells, Column, show_table

SHOWN = 50
"""So many problems are shown one by one, unless the person asks for all."""

_COLUMNS = (
    Column("Cell"),
    Column("Severity"),
    Column("Code"),
    Column("Message", wraps=True),
    Column("Value", wraps=True, widest=20),
    Column("Suggestion", wraps=True, widest=20),
)
_NEVER_SILENT = frozenset({"source.encoding_guessed"})
_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def show_problems(stream: Stream, problems: Iterable[Problem], *, verbose: bool, quiet: bool) -> None:
    """Prints problems in their order: the first ones, then how many of which code there are.

    Args:
        stream: where to.
        problems: a stream of any length.
        verbose: all of them.
        quiet: errors only, and guesses, which are never silent.
    """
    if quiet:
        problems = (problem for problem in problems if problem.is_error or problem.code in _NEVER_SILENT)
    codes: Counter[tuple[Severity, str]] = Counter()
    show_table(stream, _COLUMNS, _rows(problems, codes, None if verbose else SHOWN))
    if not codes:
        return
    stream.line()
    hidden = 0 if verbose else codes.total() - SHOWN
    if hidden > 0:
        stream.line(f"… and {hidden:,} more; --verbose shows all")
        summary = sorted(codes.items(), key=lambda item: (item[0][0] is not Severity.ERROR, -item[1], item[0][1]))
        rows = ((f"{count:,}", Styled(severity, _STYLES[severity]), code) for (severity, code), count in summary)
        show_table(stream, (Column(right=True), Column(), Column()), rows, indent=2)
        stream.line()


def _rows(problems: Iterable[Problem], codes: Counter[tuple[Severity, str]], limit: int | None) -> Iterator[Cells]:
    """Yields the rows of the first problems, and counts all of them."""
    for number, problem in enumerate(problems):
        codes[problem.severity, problem.code] += 1
        if limit is None or number < limit:
            yield (
                _position(problem),
                Styled(problem.severity, _STYLES[problem.severity]),
                problem.code,
                problem.message,
                shorten(problem.value or ""),
                Styled(shorten(problem.suggestion or ""), "green"),
            )


def _position(problem: Problem) -> str:
    if problem.row is None:
        return "sheet"
    return problem.cell or f"row {problem.row}"
