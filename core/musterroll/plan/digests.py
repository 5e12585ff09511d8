"""Digests of a sheet's rows: enough to see that a row differs from an earlier one, and not what it says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from musterroll.contract.batch import Batch
from musterroll.contract.fields import USERNAME, FieldSet
from musterroll.contract.rows import Origin
from musterroll.contract.text import fold
from musterroll.journal.sheet_parts import DIGEST, SheetPart
from musterroll.sheet.checks import CheckedRow


class RowDigests:
    """Makes the digests of rows. Only what the sheet itself says counts, and no password.

    Args:
        fields: the fields of a user.
        match: the fields that recognise a user, first choice first.
        salt: so that digests say nothing to whoever has not got this journal.
    """

    def __init__(self, fields: FieldSet, match: Sequence[str], salt: bytes) -> None:
        self._fields = fields
        self._names = sorted(field.name for field in fields.values() if not field.secret)
        self._whole = "\0".join(f"{name.replace('%', '%%')}\0%s" for name in self._names)  # what a full row says
        self._match = match
        self._empty = blake2b(digest_size=DIGEST, key=salt)

    def of(self, rows: Sequence[CheckedRow]) -> SheetPart:
        """Returns the digests of a batch: of what recognises each row's user, and of what the row says.

        Nobody's row is left out.
        """
        batch = rows[0].batch
        whose = self._whose(batch.columns)
        # In the spelling of a username nobody sees a difference.
        typed = [self._typed(rows, name, folds=name == USERNAME) for name in self._names]
        said = [
            self._whole % texts
            if "" not in texts
            else "\0".join([f"{name}\0{text}" for name, text in zip(self._names, texts, strict=True) if text])
            for texts in zip(*typed, strict=True)
        ]
        numbers = batch.numbers
        if None in whose:
            places = [place for place, who in enumerate(whose) if who is not None]
            numbers, said = [numbers[place] for place in places], [said[place] for place in places]
        return SheetPart(numbers, self._digests(who for who in whose if who is not None), self._digests(said))

    def _whose(self, batch: Batch) -> list[str | None]:
        """What recognises the rows' users: the first field that is filled, with its text."""
        whose: list[str | None] = [None] * len(batch)
        for name in reversed(self._match):
            folded = zip(whose, batch.texts(name), batch.folded(name), strict=True)
            whose = [f"{name}\0{key}" if text else other for other, text, key in folded]
        return whose

    def _typed(self, rows: Sequence[CheckedRow], name: str, *, folds: bool) -> Sequence[str]:
        """The texts of a field as far as they stand in cells: what is empty, a default or composed does not."""
        batch, field = rows[0].batch, self._fields[name]
        if field.default is None and field.compose is None:
            return batch.columns.folded(name) if folds else batch.columns.texts(name)
        values = [checked.row.value(name) for checked in rows]
        texts = [value.text if value.origin is Origin.CELL else "" for value in values]
        return list(map(fold, texts)) if folds else texts

    def _digests(self, texts: Iterable[str]) -> bytes:
        """The digests of texts, one after the other."""
        copy, digests = self._empty.copy, list[bytes]()
        for text in texts:
            digest = copy()
            digest.update(text.encode("utf-8", "surrogatepass"))
            digests.append(digest.digest())
        return b"".join(digests)
