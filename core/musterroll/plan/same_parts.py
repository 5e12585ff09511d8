"""Parts of a sheet that the last completed one had as well, when nobody has changed anything since."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Sequence
from hashlib import blake2b

from musterroll.contract.cells import Cell
from musterroll.contract.fields import FieldSet
from musterroll.journal.sheet_parts import DIGEST
from musterroll.pipeline.made_from import MadeFrom
from musterroll.sheet.blocks import column_of, least_width
from musterroll.sheet.checks import CheckedBatch
from musterroll.sheet.proofs import Groups

_LINE = "\n"
_REMEMBERED = 10_000  # combinations of groups


def left_as(state: str, made_from: MadeFrom, salt: bytes) -> str:
    """Digests what decides about a row besides itself and the ledger.

    Args:
        state: of the portal (`TellsState`).
        made_from: of which pipeline and plugins count.
        salt: the journal's.
    """
    parts = [state, made_from.pipeline, dict(made_from.plugins.distributions), dict(made_from.plugins.files)]
    return blake2b(json.dumps(parts).encode(), digest_size=DIGEST, key=salt).hexdigest()


class PartDigests:
    """Makes one digest of all that a part of a sheet says: its rows, whose they are, and what is wanted of them.

    No password counts: rows ask for none of a user who is there already.

    Args:
        fields: the fields of a user.
        salt: so that digests say nothing to whoever has not got this journal.
    """

    def __init__(self, fields: FieldSet, salt: bytes) -> None:
        self._names = sorted(field.name for field in fields.values() if not field.secret)
        self._composed = [field.name for field in fields.values() if field.compose is not None and not field.secret]
        names = _LINE.join(self._names).encode()
        self._empty = blake2b(names, digest_size=DIGEST, key=salt)
        self._groups: dict[Groups, str] = {}

    def of(self, rows: CheckedBatch) -> bytes | None:
        """Returns the digest of a part; None where texts with line breaks could be mistaken for others."""
        digest, lines = self._empty.copy(), len(rows)
        digest.update(array("Q", rows.rows.numbers).tobytes())
        for column in self._columns(rows):
            if column is None or column.count(_LINE) != lines:
                return None
            digest.update(column.encode("utf-8", "surrogatepass"))
        return digest.digest()

    def _columns(self, rows: CheckedBatch) -> Iterator[str | None]:
        columns, bare = rows.rows.columns, rows.rows.without_defaults
        yield from map(columns.joined, self._names)
        if bare is not None:  # a default is no less the same text
            yield from map(bare.joined, self._names)
        for name in self._composed:  # so is one that is composed
            if (index := rows.rows.indexes.get(name)) is not None:
                yield _cells(column_of(rows.rows.cells, index, least_width(rows.rows.cells)))
        yield "".join(self._named(rows.given))

    def _named(self, rows: Sequence[Groups]) -> list[str]:
        """How the groups of rows are written down: each in one line, and no others are so."""
        known = self._groups
        try:
            return [known[groups] for groups in rows]
        except KeyError:
            if len(known) >= _REMEMBERED:
                known.clear()
            known.update((groups, _LINE + json.dumps(groups)) for groups in rows if groups not in known)
            return [known[groups] for groups in rows]


def _cells(cells: Sequence[Cell]) -> str | None:
    """The texts of a column; None where it holds other cells as well."""
    texts = [cell or "" for cell in cells if cell is None or isinstance(cell, str)]
    return _LINE + _LINE.join(texts) if len(texts) == len(cells) else None
