"""What tells people apart where usernames are made: who has the same name again, and who is another of that name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

from musterroll.contract.batch import Batch
from musterroll.contract.fields import USERNAME, FieldSet
from musterroll.contract.problems import Problem
from musterroll.contract.rows import Origin, Row
from musterroll.contract.text import fold

_SIZE = 16  # bytes


def makes_usernames(fields: FieldSet) -> bool:
    """Whether usernames are made that nobody else has."""
    return USERNAME in fields and fields[USERNAME].make is not None


class Identities:
    """Says by what people are recognised. As a rule it finds the rows that do not say who they are.

    Args:
        fields: the fields of a user.
        match: the fields that recognise a user, each by itself.

    Attributes:
        by: the fields that together recognise somebody, first choice first.
    """

    def __init__(self, fields: FieldSet, match: Sequence[str]) -> None:
        forms = fields[USERNAME].make
        together = forms.known_by if forms is not None else ()
        self._fields = fields
        self.by = (*((name,) for name in match if name != USERNAME), *([together] if together else []))

    def check(self, row: Row) -> Iterator[Problem]:
        """Yields one problem where it cannot be told whose username is to be made."""
        if row.value(USERNAME).origin is not Origin.MADE or any(all(map(row.__getitem__, names)) for names in self.by):
            return
        names = self.by[-1]
        blank = next(name for name in names if not row[name])
        if self._fields[blank].required or row.value(blank).origin is Origin.ABSENT:
            return  # that is said already
        yield row.problem(
            blank,
            f"{blank}.required",
            "{heading} is missing: it says who this is, so that the same person has the same username next time; "
            "fill it in",
        )

    def suspects(self, batch: Batch) -> list[int]:
        """Suspects rows that do not say who they are."""
        return [place for place, found in enumerate(self.of(batch)) if not found]

    def of(self, batch: Batch) -> list[tuple[tuple[str, ...], ...]]:
        """Returns what recognises the people of rows: of each of `by` that is filled, its place and folded texts."""
        found: list[tuple[tuple[str, ...], ...]] = [()] * len(batch)
        for number, names in enumerate(self.by):
            texts = zip(*map(batch.folded, names), strict=True)
            found = [
                (*before, (str(number), *said)) if all(said) else before
                for before, said in zip(found, texts, strict=True)
            ]
        return found

    def of_user(self, fields: Mapping[str, str | None]) -> tuple[tuple[str, ...], ...]:
        """Returns the same of a user of the portal, as far as the portal knows."""
        return tuple(
            (str(number), *(fold(fields.get(name) or "") for name in names))
            for number, names in enumerate(self.by)
            if all(fields.get(name) for name in names)
        )

    def digest(self, identity: tuple[str, ...], salt: bytes) -> str:
        """Returns what is kept of it: it says nothing to whoever has not got this journal."""
        names = self.by[int(identity[0])]
        said = "\0".join((*names, *identity[1:])).encode("utf-8", "surrogatepass")
        return blake2b(said, digest_size=_SIZE, key=salt).hexdigest()
