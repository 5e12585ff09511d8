"""What people call the columns of a sheet."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache
from importlib.resources import files

from musterroll.contract.fields import Field
from musterroll.contract.text import fold_heading, nearest

_NEAR = 0.84
_SHORT = 3  # letters: what has no more is near to too much


class Reason(StrEnum):
    """Why a column is taken for a field."""

    HEADING = "heading"  # it is the pipeline's own
    SYNONYM = "synonym"
    NEAR = "near"  # the heading is nearly one of the known ones
    CONTENT = "content"  # what the column holds


@cache
def synonyms() -> Mapping[str, Sequence[str]]:
    """What people call the standard columns, in some languages, by field."""
    text = files("musterroll.sheet").joinpath("synonyms.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


class KnownHeadings:
    """The headings that are known, by the field that they mean.

    Args:
        fields: the fields that are looked for.
    """

    def __init__(self, fields: Iterable[Field]) -> None:
        own = {name: field.name for field in fields for name in (field.heading, *field.aliases)}
        self._own = {fold_heading(name): field for name, field in own.items()}
        names = set(own.values())
        self._others = {bare(word): field for field, words in synonyms().items() if field in names for word in words}
        self._others |= {bare(name): field for name, field in own.items()}  # goes before what others call a column

    def own(self, heading: str) -> str | None:
        """The field that a heading means as the pipeline has it."""
        return self._own.get(fold_heading(heading))

    def meant(self, heading: str) -> str | None:
        """The field that a heading means, in whatever language."""
        return self.own(heading) or self._others.get(bare(heading))

    def near(self, heading: str, taken: Collection[str]) -> str | None:
        """The field that a heading seems to mean, of those that are not taken."""
        names = [name for name, field in self._others.items() if field not in taken and len(name) > _SHORT]
        found = nearest(bare(heading), names, cutoff=_NEAR)
        return None if found is None else self._others[found]


def bare(heading: str) -> str:
    """Returns a heading without case, accents, spaces and punctuation."""
    text = unicodedata.normalize("NFKD", heading).casefold()
    return "".join(character for character in text if character.isalnum())
