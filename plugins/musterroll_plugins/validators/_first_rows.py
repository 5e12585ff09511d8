"""The first row of each text of a sheet, in few bytes."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

_FEW = 1 << 17  # texts that a dict holds: more quickly, and 12 MB are no matter
_BLOCK = 256  # texts that are kept joined
_SLOTS = 1 << 12  # at first; always a power of two
_LARGE = 1 << 20  # slots from which on their number is doubled, and not quadrupled
_CODE = 0xFFFFFFFF
_BITS = 32
_LINE, _CODING = b"\n", ("utf-8", "surrogatepass")


class FirstRows:
    """The row in which each text stood first.

    A dict of a million addresses takes 135 MB, this 55. Texts are numbered and kept joined, in UTF-8. They are found
    by a table of numbers of 64 bits: 32 of a text's hash, and 32 of one more than its number; 0 where nothing is.
    Texts may share a hash, so what is found is looked at. As long as there are few texts, a dict holds them.

    Args:
        few: how many that are.
    """

    def __init__(self, few: int = _FEW) -> None:
        self._most = few
        self._few: dict[str, int] | None = {}
        self._table = array("Q", bytes(8 * _SLOTS))
        self._rows = array("I")  # by the number of the text
        self._blocks: list[bytes | tuple[str, ...]] = []
        self._last: list[str] = []  # those that make no whole block yet

    def __contains__(self, text: str) -> bool:
        return self.get(text) is not None

    def get(self, text: str) -> int | None:
        """The first row of a text; None where it has not been seen."""
        if self._few is not None:
            return self._few.get(text)
        table, code = self._table, hash(text) & _CODE
        slot = code & (last := len(table) - 1)
        while there := table[slot]:
            if there >> _BITS == code and self._text(there & _CODE) == text:
                return self._rows[(there & _CODE) - 1]
            slot = slot + 1 & last
        return None

    def setdefault(self, text: str, row: int) -> int:
        """The first row of a text, which is this one where it has not been seen."""
        first = self.get(text)
        if first is None:
            self.add((text,), (row,))
            return row
        return first

    def add(self, texts: Sequence[str], rows: Sequence[int]) -> list[int]:
        """Takes note of the texts of rows, but for empty ones; returns the places of those that stood in other rows."""
        if (few := self._few) is not None:
            if len(few) + len(texts) <= self._most:
                return _added(few, texts, rows)
            self._few = None
            self.add(list(few), list(few.values()))
        if len(self._rows) + len(texts) > len(self._table) // 2:
            self._make_room(len(self._rows) + len(texts))
        table, last, count = self._table, len(self._table) - 1, len(self._rows)
        self._rows.extend(rows)
        self._last.extend(texts)  # those that are there already as well: leaving them out takes longer
        repeated = list[int]()
        for number, text in enumerate(texts, count + 1):
            code = hash(text) & _CODE
            slot = code & last
            while there := table[slot]:
                if there >> _BITS == code and self._text(there & _CODE) == text:
                    if self._rows[(there & _CODE) - 1] != rows[number - count - 1]:
                        repeated.append(number - count - 1)
                    break
                slot = slot + 1 & last
            else:
                if text:
                    table[slot] = code << _BITS | number
        while len(self._last) >= _BLOCK:
            self._blocks.append(_joined(self._last[:_BLOCK]))
            del self._last[:_BLOCK]
        return repeated

    def _make_room(self, texts: int) -> None:
        slots = len(self._table)
        while texts > slots // 2:
            slots *= 2 if slots >= _LARGE else 4
        before, table, last = self._table, array("Q", bytes(8 * slots)), slots - 1
        for there in filter(None, before):
            slot = there >> _BITS & last
            while table[slot]:
                slot = slot + 1 & last
            table[slot] = there
        self._table = table

    def _text(self, number: int) -> str:
        place = number - 1 - len(self._blocks) * _BLOCK
        if place >= 0:
            return self._last[place]
        block, place = divmod(number - 1, _BLOCK)
        texts = self._blocks[block]
        return texts[place] if isinstance(texts, tuple) else str(texts.split(_LINE)[place], *_CODING)


def _added(known: dict[str, int], texts: Sequence[str], rows: Sequence[int]) -> list[int]:
    """Adds what `known` lacks; returns the places of texts that stood in other rows. See `FirstRows.add`."""
    filled, before = len(texts) - texts.count(""), len(known)
    if known.keys().isdisjoint(texts):
        known.update(zip(texts, rows, strict=True))
        known.pop("", None)
        if len(known) == before + filled:
            return []
        for text in set(texts):  # one of them stands in two of these rows
            known.pop(text, None)
    return [
        place
        for place, (text, row) in enumerate(zip(texts, rows, strict=True))
        if text and known.setdefault(text, row) != row
    ]


def _joined(texts: Sequence[str]) -> bytes | tuple[str, ...]:
    joined = bytes("\n".join(texts), *_CODING)
    return joined if joined.count(_LINE) == len(texts) - 1 else tuple(texts)
