"""Rows of a sheet, column by column: what a proof looks at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from types import MappingProxyType
from typing import final

from musterroll.contract.rows import Origin, Row
from musterroll.contract.secret import tell_listener
from musterroll.contract.text import fold

LINE = "\n"
"""Stands between the texts of `Batch.joined`."""

_NONE: Mapping[str, Set[int]] = MappingProxyType({})


@final
class Batch:
    """Rows of a sheet, in their order, about a thousand or fewer.

    Of each value there is the text alone, not where it came from: it may be typed, a default, or made of others, and
    an empty one may be blank or absent. What several rules look at is made once.

    Args:
        numbers: the rows' numbers.
        texts: of each field that is no secret, the rows' texts as `row[field]` has them.
        secrets: of each secret field, the rows' secrets; empty where a row has none.
        made: of each field whose values may be made by the plan, the places of rows where it is.
        joined: what `joined` gives of fields of which it is known already; takes that of others.
    """

    __slots__ = ("_folded", "_joined", "_made", "_nothing", "_secrets", "_texts", "numbers")

    def __init__(
        self,
        numbers: Sequence[int],
        texts: Mapping[str, Sequence[str]],
        secrets: Mapping[str, Sequence[str]],
        made: Mapping[str, Set[int]] = _NONE,
        joined: dict[str, str] | None = None,
    ) -> None:
        self.numbers = numbers
        self._texts, self._secrets, self._made = texts, secrets, made
        self._nothing: Sequence[str] = [""] * len(numbers)
        self._joined: dict[str, str] = {} if joined is None else joined
        self._folded: dict[str, Sequence[str]] = {}

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Batch:
        """Makes a batch of rows, e.g. in a test."""
        rows = list(rows)
        names = rows[0].values if rows else ()
        secret = {name for name in names if any(row.secret(name) is not None for row in rows)}
        texts = {name: [row.value(name).text for row in rows] for name in names if name not in secret}
        revealed = {
            name: [row[name] if (one := row.secret(name)) is None else one.reveal() for row in rows] for name in secret
        }
        made: dict[str, set[int]] = {}
        for place, row in enumerate(rows):
            for name, value in row.values.items():
                if value.origin is Origin.MADE:
                    made.setdefault(name, set()).add(place)
        return cls([row.number for row in rows], texts, revealed, made)

    def without_secrets(self) -> Batch:
        """The same rows without a secret, for whoever is to see none."""
        batch = Batch(self.numbers, self._texts, {})
        batch._joined, batch._folded = self._joined, self._folded
        return batch

    def __len__(self) -> int:
        return len(self.numbers)

    def __repr__(self) -> str:
        return f"Batch({len(self)} rows)"

    def texts(self, field: str) -> Sequence[str]:
        """The texts of a field, one a row; empty ones of an unknown field, and of a secret one."""
        return self._texts.get(field, self._nothing)

    def made(self, field: str) -> Set[int]:
        """The places of rows whose text is a proposal: the plan makes another one where somebody else has it."""
        return self._made.get(field, frozenset())

    def secrets(self, field: str) -> Sequence[str]:
        """The secrets of a secret field, one a row: to be looked at, and never for a message."""
        secrets = self._secrets.get(field, self._nothing)
        tell_listener(secrets)
        return secrets

    def all_secrets(self) -> Iterator[str]:
        """All secrets, for whoever takes them out of texts."""
        for secrets in self._secrets.values():
            yield from filter(None, secrets)

    def is_secret(self, field: str) -> bool:
        """Whether a field's texts are secrets."""
        return field in self._secrets

    def joined(self, field: str) -> str:
        """The texts of a field with a line break before each, for a look at all of them at once."""
        if field not in self._joined:
            self._joined[field] = LINE + LINE.join(self.texts(field)) if self.numbers else ""
        return self._joined[field]

    def folded(self, field: str) -> Sequence[str]:
        """The texts or secrets of a field as they are compared (`fold`), one a row."""
        if self.is_secret(field):  # not kept: whoever asks must be known to have seen them
            return [fold(secret) for secret in self.secrets(field)]
        if field not in self._folded:
            # Trimmed they are.
            is_plain = self.joined(field).isascii()
            self._folded[field] = list(map(str.lower if is_plain else fold, self.texts(field)))
        return self._folded[field]
