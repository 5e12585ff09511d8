"""A sheet that is to be written: the blank sheet of a pipeline, or the rows that were rejected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from musterroll.contract.cells import SheetRow
from musterroll.contract.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """What a rule asks of a column, for whoever fills a sheet in.

    What can be checked while somebody types is said besides. Such a check is a help and no proof: text that is pasted
    gets past it. It must accept what the rule accepts.

    Attributes:
        text: a sentence or two for the person, e.g. `At most 50 characters.`
        problem: the code of the problem of whoever does otherwise. Where the customer ignores that, nothing is asked.
        min_length: the fewest characters.
        max_length: the most characters, counted without spaces around them.
        contains: a text that is in every value, e.g. `@`.
        digits: whether values are digits and nothing else.
        whole_number: whether values are whole numbers.
        dates: the forms of dates that values are in, as `DateForm` has them; a date of the program will do as well.
        unique: whether no value stands in two rows.
        stops: whether a spreadsheet program refuses what fails the check; else it warns, and the person decides.
    """

    text: str
    problem: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    contains: str = ""
    digits: bool = False
    whole_number: bool = False
    dates: tuple[str, ...] = ()
    unique: bool = False
    stops: bool = True

    @property
    def has_check(self) -> bool:
        """Whether there is something that can be checked while somebody types."""
        asked = self.min_length, self.max_length, self.contains, self.digits, self.whole_number, self.dates, self.unique
        return any(map(bool, asked))


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftColumn:
    """A column of a sheet that is to be written.

    Attributes:
        heading: the text in the heading row.
        width: how many characters should be visible.
        required: whether every row needs a value.
        choices: the only values that are allowed; empty where any is.
        note: what to say at the heading, in several lines; empty for nothing.
        checks: what can be checked while somebody types.
    """

    heading: str
    width: int = 16
    required: bool = False
    choices: tuple[str, ...] = ()
    note: str = ""
    checks: tuple[Guidance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A sheet that is to be written.

    Attributes:
        columns: the columns from A on.
        heading_row: the row with the headings, from 1.
        first_row: the first row with data; what lies between is guidance.
        rows: every row that is not empty, headings and guidance included, by ascending number. May stream.
        worksheet: the worksheet's name; None for the format's own choice.
        outlives_programs: whether every text must stay as it is when a spreadsheet program opens the file and saves it,
            for formats that do not say of themselves what is a text.
        like: the file that the rows come from, for what a person expects to be the same (e.g. the delimiter).
    """

    columns: tuple[DraftColumn, ...]
    heading_row: int
    first_row: int
    rows: Iterable[SheetRow]
    worksheet: str | None = None
    outlives_programs: bool = False
    like: Source | None = None
