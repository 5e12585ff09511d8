"""`[scope]`: whom a sheet is about; of all others it says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from musterroll.contract.batch import Batch
from musterroll.contract.problems import Problem
from musterroll.contract.rows import Row
from musterroll.contract.text import clean, fold
from musterroll.contract.users import Existing


class Scope:
    """Says who is in the scope of a sheet. As a rule it finds the rows that say they are not.

    Args:
        values: what users have in the scope, by field.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._folded = {name: fold(clean(text)) for name, text in values.items()}

    def __bool__(self) -> bool:
        """Whether it is limited at all."""
        return bool(self._values)

    def has(self, user: Existing) -> bool:
        """Whether a user of the portal is in it."""
        return all(fold(user.fields.get(name) or "") == text for name, text in self._folded.items())

    def check(self, row: Row) -> Iterator[Problem]:
        """Yields a problem for each field of a row that says something else."""
        for name in self._folded:
            if row[name] and not self._is_in(name, row[name]):
                yield row.problem(
                    name,
                    "row.out_of_scope",
                    'This sheet is only about users whose {heading} is "{value}"; correct the cell, or remove the row',
                    value=self._values[name],
                )

    def suspects(self, batch: Batch) -> Iterator[int]:
        """Suspects rows with another value."""
        for name in self._folded:
            texts = batch.texts(name)
            others = {text for text in set(texts) if text and not self._is_in(name, text)}
            if others:
                yield from (place for place, text in enumerate(texts) if text in others)

    def problems(self, row: Row, user: Existing | None, *, leaves: bool = False) -> Iterator[Problem]:
        """Yields a problem for each field of which a row says nothing, and that puts its user outside.

        Args:
            row: the row.
            user: the user it means; None for a new one.
            leaves: whether the user is to go: then what the row says of it is not done, so it counts for nothing.
        """
        for name in self._folded:
            stored = None if user is None else user.fields.get(name)
            is_silent = not row[name] or (leaves and self._is_in(name, row[name]))  # else `check` has said it
            if is_silent and not self._is_in(name, stored or ""):
                yield row.problem(
                    name,
                    "row.out_of_scope",
                    'This sheet is only about users whose {heading} is "{value}", and of this one it is "{stored}"; '
                    "fill the cell in, or remove the row",
                    value=self._values[name],
                    stored=stored or "",
                )

    def _is_in(self, name: str, text: str) -> bool:
        return fold(text) == self._folded[name]
