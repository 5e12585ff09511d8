"""Makes rows of values from rows of cells: defaults, and fields composed of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from musterroll.contract.cells import Cell, SheetRow
from musterroll.contract.fields import CALLING_CODE, PHONE, Field, FieldSet
from musterroll.contract.phones import split_whole
from musterroll.contract.problems import Problem
from musterroll.contract.rows import ABSENT, BLANK, Origin, Row, Value
from musterroll.contract.secret import Secret
from musterroll.contract.templates import Template
from musterroll.contract.text import clean
from musterroll.contract.translation import gettext
from musterroll.sheet.blocks import column_of, least_width
from musterroll.sheet.headings import Columns
from musterroll.sheet.plain_text import meant_value
from musterroll.sheet.row_values import CellReader, FaultyCell, KnownValues, values_of
from musterroll.sheet.texts import Texts, column_texts, secret_texts
from musterroll.sheet.transforms import Transforms
from musterroll.sheet.typed_cells import ReadCell, TypedCells
from musterroll.sheet.values import CellFault, cell_value, secret_value, shown


class RowWithProblems(NamedTuple):
    """A row, and what is wrong with its cells."""

    row: Row
    problems: tuple[Problem, ...]


class RowMaker:
    """Makes rows of values from rows of cells, for one layout of columns.

    First the cells, what transforms make of them, and the one spelling of values that have a type; then defaults, so
    that fields can be composed of them; then composed fields, and what depends on those. A phone that is a whole number
    is taken apart when others have been made of it.

    Args:
        fields: the fields of a user.
        columns: where they are.
        plain_text: whether the file is plain text, where some cells mean something else than they say.
        transforms: make values as they should be. A row with transforms is made by itself.

    Attributes:
        indexes: the column of each field that has one, from 0.
    """

    def __init__(
        self, fields: FieldSet, columns: Columns, *, plain_text: bool = False, transforms: Transforms | None = None
    ) -> None:
        self._plain_text, self._transforms = plain_text, transforms or Transforms()
        self.indexes = columns.indexes
        value_of: ReadCell = meant_value if plain_text else cell_value
        self._typed = TypedCells(fields.values())
        letters = dict(columns.letters)
        if fields.whole_phones and PHONE in letters:
            letters[CALLING_CODE] = letters[PHONE]
        self._columns = MappingProxyType(letters)  # rules see both
        self._headings = MappingProxyType({name: field.heading for name, field in fields.items()})
        self._absent = dict.fromkeys(fields, ABSENT)
        self._secret = {name for name, field in fields.items() if field.secret}
        self._cells = [
            CellReader(name, index, self._reader_of(name, value_of)) for name, index in columns.indexes.items()
        ]
        self._typed_cells = self._typed.names(fields)
        self._typed_composed = self._typed.names(name for name, field in fields.items() if field.compose)
        self._composed = [_Composition.of(field, fields, columns) for field in fields.values() if field.compose]
        # The calling code comes last, since its default depends on the phone.
        self._defaults = sorted(
            ((field, default) for field in fields.values() if (default := _default(field)) is not None),
            key=lambda pair: pair[0].name == CALLING_CODE,
        )
        late = {field.name for field in fields.values() if field.compose}
        if PHONE in late:
            late.add(CALLING_CODE)
        self._early = [pair for pair in self._defaults if pair[0].name not in late]
        self._late = [pair for pair in self._defaults if pair[0].name in late]
        # Before the calling code's default, and else as late as can be: what is made of the phone is made of the whole.
        defaults_early = any(field.name == CALLING_CODE for field, _ in self._early)
        self._splits_early = fields.whole_phones and defaults_early
        self._splits_late = fields.whole_phones and not defaults_early
        # Whether values are as their cells say.
        self._is_plain = not (
            self._transforms or self._typed_cells or self._composed or self._defaults or fields.whole_phones
        )
        # Whether no value is absent but those of cells that cannot be used, so that texts say all that is needed.
        has_all = all(name in columns.indexes for name, field in fields.items() if field.needs_column)
        made = [(one.field.name, one.template.names) for one in self._composed]
        later = [{name for name, _ in made[place:]} for place in range(len(made))]
        self._is_regular = (
            has_all
            and not self._transforms
            and not self._typed_composed
            and all(
                names and not (self._secret | after).intersection(names)
                for (_, names), after in zip(made, later, strict=True)
            )
        )

    def __call__(self, source: SheetRow) -> RowWithProblems:
        """Makes one row of its cells."""
        return self._made(source.number, *values_of(source.cells, self._cells), self._transforms)

    def guidance(self, source: SheetRow) -> Row:
        """Makes the row of a sheet's guidance: its words are nobody's values, and no transform sees them."""
        return self._made(source.number, *values_of(source.cells, self._cells), None).row

    def known(self, rows: Sequence[Sequence[Cell]], texts: Texts) -> KnownValues:
        """Makes ready to make single rows among those whose texts are known, but for odd ones."""
        return KnownValues(self._cells, rows, texts)

    def of_known(self, number: int, known: KnownValues, place: int) -> RowWithProblems:
        """Makes one of them, as it is made of its cells."""
        return self._made(number, *known.of(place), self._transforms)

    def _made(
        self, number: int, read: Mapping[str, Value], faults: Sequence[FaultyCell], transforms: Transforms | None
    ) -> RowWithProblems:
        values = {**self._absent, **read}
        problems = [self._problem(number, *fault) for fault in faults] if faults else []
        columns: Mapping[str, str] = self._columns
        if not self._is_plain:
            columns = self._complete(number, values, problems, transforms)
        row = Row(number, MappingProxyType(values), columns, self._headings)
        return RowWithProblems(row, tuple(problems))

    def _complete(
        self, number: int, values: dict[str, Value], problems: list[Problem], transforms: Transforms | None
    ) -> Mapping[str, str]:
        """Makes of the values of the cells what the row is to have; returns the columns where it is shown."""
        columns: Mapping[str, str] = self._columns
        is_open = False  # whether a transform could not make a value
        if transforms:
            row, others = transforms.apply(Row(number, MappingProxyType(values), columns, self._headings))
            columns = row.columns
            values.update(row.values)
            problems += others
            is_open = bool(others)
        if self._typed_cells:
            problems += self._settle(self._typed_cells, number, values, columns)
        if self._splits_early:
            _take_apart(values)
        if self._early:
            _fill_in(self._early, values)
        made = []
        for composition in self._composed:
            if composition.fill(values, is_open=is_open):
                made.append(composition.field.name)
                if composition.column is not None:
                    columns = MappingProxyType({**columns, composition.field.name: composition.column})
        if self._typed_composed:
            problems += self._settle([name for name in made if name in self._typed], number, values, columns)
        if self._splits_late:
            _take_apart(values)
        if self._late:
            _fill_in(self._late, values)
        return columns

    def texts(self, rows: Sequence[Sequence[Cell]]) -> Texts:
        """Makes the texts of many rows, column by column."""
        texts = Texts()
        for name in self._absent:
            (texts.secret if name in self._secret else texts.plain)[name] = [""] * len(rows)
        width = least_width(rows)
        for name, index, _ in self._cells:
            cells = column_of(rows, index, width)
            if name in self._secret:
                texts.secret[name] = secret_texts(cells, texts.odd)
            else:
                is_typed = name in self._typed
                cells = self._typed.column(name, cells) if is_typed else cells
                found, joined = column_texts(cells, texts.odd, plain_text=self._plain_text)
                if is_typed:
                    texts.plain[name] = self._typed.spell(name, found, texts.odd)
                else:
                    texts.plain[name], texts.joined[name] = found, joined
        if not self._is_regular:
            texts.odd.update(range(len(rows)))
            return texts
        if self._splits_early:
            _take_all_apart(texts)
        _fill_all_in(self._early, texts)
        for composition in self._composed:
            composition.fill_all(texts)
        if self._splits_late:
            _take_all_apart(texts)
        _fill_all_in(self._late, texts)
        return texts

    def _reader_of(self, name: str, value_of: ReadCell) -> ReadCell:
        if name in self._secret:
            return secret_value
        return self._typed.reader(name, value_of)

    def _settle(
        self, names: Sequence[str], number: int, values: dict[str, Value], columns: Mapping[str, str]
    ) -> list[Problem]:
        """Spells values of fields with a type, and says what is none."""
        changed, problems = self._typed.settle(names, Row(number, values, columns, self._headings))
        values.update(changed)
        return problems

    def unusable(self, number: int, problem: Problem) -> RowWithProblems:
        """Makes a row none of whose cells can be used."""
        return RowWithProblems(Row(number, self._absent.copy(), self._columns, self._headings), (problem,))

    def _problem(self, number: int, name: str, fault: CellFault, cell: Cell) -> Problem:
        return Problem(
            code=fault.code,
            message=gettext(fault.message, detail=fault.detail),
            row=number,
            column=self._columns.get(name),
            field=name,
            value=None if name in self._secret else shown(cell),
            suggestion=fault.suggestion,
        )


class _Composition(NamedTuple):
    """How a field is made of others.

    Attributes:
        field: the field that is made.
        template: what it is made of.
        has_cell: whether it has a column of its own as well; then only a blank cell is filled.
        omitted: the sources that the sheet does not have on purpose.
        column: for a field with a column of its own, that of the first source; the others are known by it anyway.
    """

    field: Field
    template: Template
    has_cell: bool
    omitted: frozenset[str]
    column: str | None

    @classmethod
    def of(cls, field: Field, fields: FieldSet, columns: Columns) -> _Composition:
        assert field.compose is not None
        names = field.compose.names
        has_cell = field.name in columns.indexes
        indexes = columns.indexes
        omitted = frozenset(name for name in names if fields[name].omitted or _may_lack(fields[name], indexes))
        sources = [columns.letters[name] for name in names if name in columns.indexes]
        return cls(field, field.compose, has_cell, omitted, sources[0] if has_cell and sources else None)

    def fill(self, values: dict[str, Value], *, is_open: bool = False) -> bool:
        """Makes the value; returns whether there is one.

        It is blank if all of its sources are, and absent if one of them cannot be used. Made of defaults only
        it is a default itself, unless it is a proposal.

        Args:
            values: the values of the row.
            is_open: whether a value could not be made, so that one that is not there may be that one.
        """
        name = self.field.name
        if self.has_cell and not values[name].is_blank:
            return False
        sources = {source: values[source] for source in self.template.names}
        unusable = (source for source, value in sources.items() if value.origin is Origin.ABSENT)
        if any(is_open or source not in self.omitted for source in unusable):
            values[name] = ABSENT
            return False
        filled = [value for value in sources.values() if value.is_filled]
        text = clean(self.template.fill({source: value.text for source, value in sources.items()}))
        if (sources and not filled) or not text:
            values[name] = BLANK
            return False
        by_default = sources and all(value.origin is Origin.DEFAULT for value in filled)
        origin = Origin.DEFAULT if by_default else Origin.COMPOSED
        if self.field.make is not None:
            origin = Origin.MADE
        values[name] = Value("", origin, None, Secret(text)) if self.field.secret else Value(text, origin)
        return True

    def fill_all(self, texts: Texts) -> None:
        """Makes the values of many rows. See `fill`."""
        name, names = self.field.name, self.template.names
        made = texts.secret[name] if self.field.secret else texts.plain[name]
        texts.joined.pop(name, None)
        defaults = [texts.defaults.get(source, set()) for source in names]
        proposed = texts.made.setdefault(name, set()) if self.field.make is not None else None
        by_default = texts.defaults.setdefault(name, set())
        for place, parts in enumerate(zip(*(texts.plain[source] for source in names), strict=True)):
            if not made[place] and any(parts):
                made[place] = clean(self.template.fill(dict(zip(names, parts, strict=True))))
                if proposed is not None:
                    if made[place]:
                        proposed.add(place)
                elif all(place in places for part, places in zip(parts, defaults, strict=True) if part):
                    by_default.add(place)


def _may_lack(field: Field, indexes: Mapping[str, int]) -> bool:
    """Whether the sheet is complete without this column."""
    return field.role is not None and field.name not in indexes


def _take_apart(values: dict[str, Value]) -> None:
    """Makes calling code and local part of a whole number. One that cannot be read stays, and has no calling code."""
    phone = values[PHONE]
    if phone.is_blank:
        values[CALLING_CODE] = BLANK
    elif (parts := split_whole(phone.text)) is not None:
        raw = phone.text if phone.raw is None else phone.raw
        values[CALLING_CODE] = Value(parts[0], Origin.DEFAULT if phone.origin is Origin.DEFAULT else Origin.COMPOSED)
        values[PHONE] = Value(parts[1], phone.origin, raw)


def _take_all_apart(texts: Texts) -> None:
    phones, codes = texts.plain[PHONE], texts.plain[CALLING_CODE]
    for name in (PHONE, CALLING_CODE):
        texts.joined.pop(name, None)
    for place, phone in enumerate(phones):
        if phone and (parts := split_whole(phone)) is not None:
            codes[place], phones[place] = parts
            if place in texts.defaults.get(PHONE, ()):
                texts.defaults.setdefault(CALLING_CODE, set()).add(place)


def _fill_in(defaults: Sequence[tuple[Field, Value]], values: dict[str, Value]) -> None:
    """Puts defaults where the cell is blank or the sheet does not have the field."""
    for field, default in defaults:
        value = values[field.name]
        if not (value.is_blank or (field.omitted and value.origin is Origin.ABSENT)):
            continue
        if field.name == CALLING_CODE and PHONE in values and not values[PHONE].is_filled:
            continue
        values[field.name] = default


def _fill_all_in(defaults: Sequence[tuple[Field, Value]], texts: Texts) -> None:
    for field, default in defaults:
        column = texts.plain[field.name] if default.secret is None else texts.secret[field.name]
        phones = texts.plain.get(PHONE, ()) if field.name == CALLING_CODE else ()
        blank = [place for place, text in enumerate(column) if not text and (not phones or phones[place])]
        texts.defaults.setdefault(field.name, set()).update(blank)
        text = default.text if default.secret is None else default.secret.reveal()
        if blank:
            texts.joined.pop(field.name, None)
        for place in blank:
            column[place] = text


def _default(field: Field) -> Value | None:
    if isinstance(field.default, Secret):
        return Value("", Origin.DEFAULT, None, field.default) if field.default.reveal() else None
    text = clean(field.default or "")
    return Value(text, Origin.DEFAULT) if text else None
