"""What the content of a cell means: its kind, its text or number, and its style."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence

from musterroll import BoolCell, Cell, DateCell, ErrorCell, FormulaCell, TextCell, gettext
from musterroll_plugins.readers.number_formats import number_cell, text_cell
from musterroll_plugins.readers.package.xml import (
    TRUTHS,
    Attributes,
    DamagedError,
    memory_of,
    number_of,
    unreadable,
)
from musterroll_plugins.readers.xlsx.workbook import Styles, unescape


class Values:
    """Makes cells of what the worksheet's XML says of them.

    Attributes:
        texts: the shared texts; None until a cell refers to them.
        styles: the number formats; None until a cell needs them.
        plain_styles: the styles of which it is known that they show texts as they are: nearly all.
        row_size: the memory of the texts that stand in cells themselves, since it was last set back.

    Args:
        load_texts: reads the shared texts.
        load_styles: reads the number formats.
    """

    def __init__(self, load_texts: Callable[[], Sequence[str]], load_styles: Callable[[], Styles]) -> None:
        self._load_texts, self._load_styles = load_texts, load_styles
        self.texts: Sequence[str] | None = None
        self.styles: Styles | None = None
        self.plain_styles: set[str | None] = {None}
        self.row_size = 0

    def cell(self, attributes: Attributes, value: str | None, runs: Sequence[str], formula: str | None) -> Cell:
        """Makes one cell.

        Args:
            attributes: those of its start tag.
            value: its value, which may be the number of a shared text.
            runs: the pieces of the text that stands in the cell itself, without empty ones.
            formula: its formula.

        Raises:
            DamagedError: it is not what it can be.
        """
        kind = attributes.get("t") or "n"
        if kind == "s" and value:
            return self._shared(value, attributes.get("s"))
        if kind == "inlineStr":
            return self._styled(self._held("".join(runs)), attributes.get("s")) if runs else None
        if kind == "str" and value is not None:
            # "" as well: a formula that results in an empty text.
            return self._styled(self._held(value), attributes.get("s"))
        value = value.strip() if value is not None else ""
        if value:
            return self._number(value, attributes.get("s", "0")) if kind == "n" else _other(kind, value)
        return None if formula is None else FormulaCell(f"={formula}")

    def shows_texts_plainly(self, style: str | None) -> bool:
        """Whether a style shows texts as they are, as far as that is known without reading the styles."""
        if style not in self.plain_styles and style is not None and self.styles is not None:
            self._styled("", style)
        return style in self.plain_styles

    def number_format(self, style: str) -> str | None:
        """The format code of a style; None where it shows dates, and where the styles were not read yet."""
        if self.styles is None:
            return None
        code, is_date, _ = self.styles.of(style)
        return None if is_date else code

    def _shared(self, value: str, style: str | None) -> Cell:
        if self.texts is None:
            self.texts = self._load_texts()
            if not self.texts:
                raise DamagedError(gettext("its texts are missing"))
        try:
            index = int(value)
            if index >= 0:
                text = self.texts[index]
                return text if style in self.plain_styles else self._styled(text, style)
        except (ValueError, LookupError):
            pass
        return unreadable(value, "it refers to a text that the file does not have")

    def _held(self, text: str) -> str:
        """A text that stands in the cell itself."""
        self.row_size += memory_of(text)
        return unescape(text)

    def _styled(self, text: str, style: str | None) -> str | TextCell:
        if style is None or style in self.plain_styles:
            return text
        if self.styles is None:
            self.styles = self._load_styles()
        code = self.styles.text_format(style)
        if code is None:
            self.plain_styles.add(style)
        return text if code is None or not text.strip() else text_cell(text, code)

    def _number(self, text: str, style: str) -> Cell:
        number = number_of(text)
        if number is None:
            return unreadable(text, "no number stands where one belongs")
        if not math.isfinite(number):
            return ErrorCell("#NUM!")
        if self.styles is None:
            self.styles = self._load_styles()
        code, is_date, is_duration = self.styles.of(style)
        if not is_date:
            return number_cell(number, code)
        date = self.styles.date(number, duration=is_duration)
        return DateCell(date) if date is not None else ErrorCell("#NUM!")


def _other(kind: str, value: str) -> Cell:
    if kind == "b":
        known = TRUTHS.get(value.lower())
        return unreadable(value, "no truth value stands where one belongs") if known is None else BoolCell(known)
    if kind == "e":
        return ErrorCell(value)
    if kind == "d":
        try:
            return DateCell(_from_iso(value.removesuffix("Z")))
        except ValueError:
            return unreadable(value, "no date stands where one belongs")
    return unreadable(value, "its kind is unknown")


def _from_iso(text: str) -> dt.datetime | dt.date | dt.time:
    if "T" in text:
        return dt.datetime.fromisoformat(text)
    return dt.date.fromisoformat(text) if "-" in text else dt.time.fromisoformat(text)
