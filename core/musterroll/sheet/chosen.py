"""Some rows of a sheet: the others are left as if they were not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from musterroll.contract.fields import USERNAME
from musterroll.contract.text import fold
from musterroll.contract.translation import gettext
from musterroll.errors import UsageError

if TYPE_CHECKING:
    from musterroll.sheet.batch import RowBatch


@dataclass(frozen=True, slots=True)
class ChosenRows:
    """Which rows of a sheet are meant: by usernames, or by the numbers that the spreadsheet program shows.

    Attributes:
        users: usernames, as they were typed; empty where rows are chosen by number.
        first: the first row; None where rows are chosen by username.
        last: the last row.
    """

    users: tuple[str, ...] = ()
    first: int | None = None
    last: int | None = None

    @classmethod
    def of(cls, stored: dict[str, Any] | None) -> ChosenRows | None:
        """Makes it of what `asdict` made of it."""
        return None if stored is None else cls(tuple(stored["users"]), stored["first"], stored["last"])

    def __str__(self) -> str:
        if self.users:
            return " ".join(f"--only {user}" for user in self.users)
        return f"--rows {self.first}-{self.last}" if self.first != self.last else f"--rows {self.first}"

    def take(self, batches: Iterable[RowBatch], found: set[str]) -> Iterator[tuple[RowBatch | None, int]]:
        """Yields what is meant of each batch, and how many of its rows are not. Takes note of the usernames found."""
        wanted = {fold(user) for user in self.users}
        for batch in batches:
            if self.users:
                names = batch.columns.folded(USERNAME)
                places = [place for place, name in enumerate(names) if name in wanted]
                found.update(names[place] for place in places)
            else:
                first, last = self.first or 0, self.last or 0
                places = [place for place, number in enumerate(batch.numbers) if first <= number <= last]
            yield (batch.only(places) if places else None), len(batch) - len(places)

    def refuse_missing(self, found: set[str], *, anything: bool) -> None:
        """Refuses where somebody was meant who is not in the sheet.

        Raises:
            UsageError: so it is.
        """
        missing = [user for user in self.users if fold(user) not in found]
        if missing:
            names = ", ".join(f'"{user}"' for user in missing)
            raise UsageError(
                gettext(
                    "--only: no row of the sheet is for {users}; give the username as it is there, or the row with "
                    "--rows",
                    users=names,
                ),
                code="rows.none",
            )
        if not anything:
            raise UsageError(gettext("{rows}: the sheet has no user there", rows=self), code="rows.none")
