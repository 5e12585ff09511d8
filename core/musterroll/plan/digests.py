"""Digests of a sheet's rows: enough to see that a row differs from an earlier one, and not what it says."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from musterroll.contract.fields import USERNAME, FieldSet
from musterroll.contract.rows import Origin, Row
from musterroll.contract.text import fold

_SIZE = 16  # bytes


class RowDigests:
    """Makes the digests of rows. Only what the sheet itself says counts, and no password.

    Args:
        fields: the fields of a user.
        match: the fields that recognise a user, first choice first.
        salt: so that digests say nothing to whoever has not got this journal.
    """

    def __init__(self, fields: FieldSet, match: Sequence[str], salt: bytes) -> None:
        self._names = sorted(field.name for field in fields.values() if not field.secret)
        self._match = match
        self._empty = blake2b(digest_size=_SIZE, key=salt)

    def of(self, row: Row) -> tuple[bytes, bytes] | None:
        """Returns digests of what recognises the row's user, and of what the row says; None for nobody's row."""
        who = next(((name, text) for name in self._match if (text := row.value(name).text)), None)
        if who is None:
            return None
        said: list[str] = []
        for name in self._names:
            value = row.values.get(name)
            if value is not None and value.origin is Origin.CELL:
                # In the spelling of a username nobody sees a difference.
                said += name, fold(value.text) if name == USERNAME else value.text
        return self._digest((who[0], fold(who[1]))), self._digest(said)

    def _digest(self, parts: Sequence[str]) -> bytes:
        digest = self._empty.copy()
        digest.update("\0".join(parts).encode("utf-8", "surrogatepass"))
        return digest.digest()
