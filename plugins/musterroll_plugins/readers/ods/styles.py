"""Which format code a cell's style stands for, and which worksheets are hidden by theirs."""

from __future__ import annotations

from dataclasses import dataclass, field

from musterroll import gettext
from musterroll_plugins.readers.ods.formats import GENERAL, HIDDEN, TEXT, DigitStyle, code, text_code
from musterroll_plugins.readers.package.xml import Attributes, DamagedError, XmlHandler

_STYLE_LIMIT = 100_000
_CHAIN_LIMIT = 20
_TEXT_LIMIT = 100  # characters of one style; what is shown stands in the cells as well
# Their kind is all that matters: what they show has other digits than the cell.
_CODES = {
    "scientific-number": "0.00E+00",
    "fraction": "# ?/?",
    "text-content": TEXT,
}
_DATA_STYLES = frozenset(
    f"{kind}-style" for kind in ("number", "percentage", "currency", "date", "time", "boolean", "text")
)


@dataclass(slots=True)
class _DataStyle:
    """A data style while it is read: how digits are shown, or the code where it shows none, or its variants."""

    digits: DigitStyle = field(default_factory=DigitStyle)
    code: str | None = None
    seen_digits: bool = False
    seen_text: bool = False
    size: int = 0  # of its texts, in characters
    general: bool = False
    positive: str | None = None  # the style that is used for positive numbers instead

    def finished(self) -> str:
        if self.code is None:
            digits = self.digits
            if self.general:
                self.code = f"{text_code(digits.before)}{GENERAL}{text_code(digits.after)}"
            elif self.seen_digits:
                self.code = code(digits)
            else:
                self.code = text_code(digits.before) or (HIDDEN if self.seen_text else GENERAL)
        return self.code


class Styles:
    """The styles of one part of a document. Fed with its elements by whoever reads the part.

    Args:
        common: those that this part's styles may build on.
    """

    def __init__(self, common: Styles | None = None) -> None:
        self._common = common
        self._cells: dict[str, tuple[str | None, str | None]] = {}  # data style, parent
        self._data: dict[str, _DataStyle] = {}
        self._hidden_tables: dict[str, bool] = {}
        self._codes: dict[str, str] = {}
        self._open: _DataStyle | None = None
        self._open_table: str | None = None
        self._position = 0

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag."""
        if name == "style":
            self._open_style(attributes)
        elif name == "table-properties":
            if self._open_table is not None:
                self._hidden_tables[self._open_table] = attributes.get("table:display") == "false"
        elif name in _DATA_STYLES:
            self._open = self._data[attributes.get("style:name", "")] = _DataStyle()
            self._open.digits.percent = name == "percentage-style"
            self._check_size()
        elif self._open is not None:
            self._open_piece(self._open, name, attributes)

    def closed(self, name: str, text: str) -> None:
        """Hears of an end tag, and of the text in front of it."""
        if name in _DATA_STYLES:
            self._open = None
        elif self._open is not None:
            digits = self._open.digits
            if digits.percent and name == "text":
                text = text.replace("%", "", 1)
            if name == "text":
                self._open.seen_text = True
            text = text[:_TEXT_LIMIT] if self._open.size < _TEXT_LIMIT else ""
            self._open.size += len(text)
            if name == "embedded-text":
                digits.between[self._position] = digits.between.get(self._position, "") + text
            elif name in {"text", "currency-symbol"} and self._open.seen_digits:
                digits.after += text
            elif name in {"text", "currency-symbol"}:
                digits.before += text

    def code_of(self, style: str | None) -> str:
        """The format code of a cell's style."""
        if style is None:
            return GENERAL
        known = self._codes.get(style)
        if known is None:
            known = self._codes[style] = self._judged(style)
        return known

    def hides_table(self, style: str | None) -> bool:
        """Whether worksheets of a style are hidden."""
        if style in self._hidden_tables:
            return self._hidden_tables[style]
        return self._common is not None and self._common.hides_table(style)

    def _open_style(self, attributes: Attributes) -> None:
        family, name = attributes.get("style:family"), attributes.get("style:name", "")
        self._open_table = name if family == "table" else None
        if family == "table-cell":
            self._cells[name] = attributes.get("style:data-style-name"), attributes.get("style:parent-style-name")
            self._check_size()

    def _open_piece(self, style: _DataStyle, name: str, attributes: Attributes) -> None:
        if name == "number":
            style.seen_digits = True
            style.digits.least = _count(attributes, "number:min-integer-digits")
            style.digits.decimals = _count(attributes, "number:decimal-places")
            style.digits.grouping = attributes.get("number:grouping") == "true"
            # No number of decimals: as many as the number has.
            style.general = style.digits.least <= 1 and "number:decimal-places" not in attributes
        elif name in _CODES:
            style.code = _CODES[name]
        elif name == "embedded-text":
            self._position = _count(attributes, "number:position")
            style.general = False
        elif name == "map" and attributes.get("style:condition", "").replace(" ", "") in {"value()>=0", "value()>0"}:
            style.positive = attributes.get("style:apply-style-name")

    def _judged(self, style: str) -> str:
        name: str | None = style
        for _ in range(_CHAIN_LIMIT):
            if name is None:
                return GENERAL
            if name not in self._cells:
                return self._common.code_of(name) if self._common is not None else GENERAL
            data, name = self._cells[name]
            if data is not None:
                return self._code(data)
        return GENERAL

    def _code(self, name: str) -> str:
        for _ in range(_CHAIN_LIMIT):
            found = self._data.get(name)
            if found is None:
                return self._common._code(name) if self._common is not None else GENERAL
            if found.positive is None or found.positive == name:
                return found.finished()
            name = found.positive
        return GENERAL

    def _check_size(self) -> None:
        if len(self._cells) + len(self._data) > _STYLE_LIMIT:
            raise DamagedError(gettext("it has more styles than a sheet can"))


class StylesHandler(XmlHandler):
    """Reads the part that holds nothing but styles."""

    def __init__(self) -> None:
        super().__init__()
        self.styles = Styles()

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag."""
        self.parts.clear()
        self.styles.opened(name, attributes)

    def closed(self, name: str) -> None:
        """Hears of an end tag."""
        self.styles.closed(name, self.text())
        self.parts.clear()


def _count(attributes: Attributes, name: str) -> int:
    value = attributes.get(name, "0")
    return min(int(value), 100) if value.isdecimal() else 0
