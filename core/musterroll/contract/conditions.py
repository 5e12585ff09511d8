r"""Conditions on the values of a row, as a pipeline file writes them: data, and nothing that is executed.

    when = { department = ["Sales", "Marketing"], country = { not = "UK" } }
    must = { badge = { pattern = 'A\d{5}' } }

Every field of the table must meet its condition:

- `"Sales"`: it is this text, whatever the capitals; `["Sales", "Marketing"]`: one of these;
- `{ pattern = "…" }`: the whole value has this form, with `ignore_case = true` whatever the capitals;
- `{ blank = true }`, `{ present = true }`: there is no value; there is one;
- `{ not = … }`: it does not meet that, which a blank value does not either.

A table with several of these keys means all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ConfigDict, GetCoreSchemaHandler, RootModel, ValidationInfo, model_validator
from pydantic_core import CoreSchema, core_schema

from musterroll.contract.fields import Field
from musterroll.contract.options import FieldName, Options, Surroundings
from musterroll.contract.patterns import matcher
from musterroll.contract.rows import Row
from musterroll.contract.secret import MASK
from musterroll.contract.text import clean, did_you_mean, fold
from musterroll.contract.translation import gettext
from musterroll.contract.value_types import spelling_of, value_type_of

_Kind = Literal["is", "form", "blank"]
_KEYS = ("not", "blank", "present", "pattern", "ignore_case")
_HOW = 'write a text, a list of texts, { pattern = "…" }, { blank = true }, { present = true } or { not = … }'


@dataclass(frozen=True, slots=True)
class _Part:
    """One thing that a condition asks. `negated` is the other way round; `quoted` is what words say of it."""

    kind: _Kind
    quoted: tuple[str, ...]
    meets: Callable[[str], bool]
    negated: bool = False

    def holds(self, text: str) -> bool:
        return self.meets(text) is not self.negated

    def demand(self) -> str:
        values = ", ".join(f'"{text}"' for text in self.quoted)
        match self.kind, self.negated, len(self.quoted) > 1:
            case "blank", False, _:
                return gettext("must be empty")
            case "blank", True, _:
                return gettext("must be filled in")
            case "form", False, _:
                return gettext("must have the form {pattern}", pattern=self.quoted[0])
            case "form", True, _:
                return gettext("must not have the form {pattern}", pattern=self.quoted[0])
            case _, False, False:
                return gettext("must be {values}", values=values)
            case _, False, True:
                return gettext("must be one of {values}", values=values)
            case _, True, False:
                return gettext("must not be {values}", values=values)
        return gettext("must be none of {values}", values=values)

    def statement(self, heading: str) -> str:
        values = ", ".join(f'"{text}"' for text in self.quoted)
        match self.kind, self.negated, len(self.quoted) > 1:
            case "blank", False, _:
                return gettext("{heading} is empty", heading=heading)
            case "blank", True, _:
                return gettext("{heading} is filled in", heading=heading)
            case "form", False, _:
                return gettext("{heading} has the form {pattern}", heading=heading, pattern=self.quoted[0])
            case "form", True, _:
                return gettext("{heading} does not have the form {pattern}", heading=heading, pattern=self.quoted[0])
            case _, False, False:
                return gettext("{heading} is {values}", heading=heading, values=values)
            case _, False, True:
                return gettext("{heading} is one of {values}", heading=heading, values=values)
            case _, True, False:
                return gettext("{heading} is not {values}", heading=heading, values=values)
        return gettext("{heading} is none of {values}", heading=heading, values=values)


@dataclass(frozen=True, slots=True)
class Condition:
    """What is asked of one text. Made of what stands in the file, by pydantic or by `Condition.of`.

    Attributes:
        written: as it stands in the file.
    """

    written: Any
    _parts: tuple[_Part, ...] = field(compare=False, repr=False)

    @classmethod
    def of(cls, written: object) -> Condition:
        """Reads a condition.

        Raises:
            ValueError: it is none; how to write one.
        """
        if isinstance(written, Condition):
            return written
        return cls(written, tuple(_parts(written)))

    def holds(self, text: str) -> bool:
        """Whether a text meets it; a blank one is `""`."""
        return all(part.holds(text) for part in self._parts)

    @property
    def is_about_presence(self) -> bool:
        """Whether it only asks if there is a value, and not which."""
        return all(part.kind == "blank" for part in self._parts)

    def misspelt(self, field: Field) -> str | None:
        """Says which of its texts no value of a field is ever spelt like; None where there is none."""
        type_ = value_type_of(field)
        for part in self._parts if type_ is not None else ():
            for text in part.quoted if part.kind == "is" else ():
                if type_ is not None and type_.canonical(text) != text:
                    return f'no value of "{field.name}" is "{text}"{spelling_of(type_, text)}'
        return None

    def demand(self) -> str:
        """Says what it demands: `must be "Sales"`."""
        return gettext(" and ").join(part.demand() for part in self._parts)

    def statement(self, heading: str) -> str:
        """Says what it supposes: `Department is "Sales"`."""
        return gettext(" and ").join(part.statement(heading) for part in self._parts)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Accepts what `of` accepts."""
        written = core_schema.plain_serializer_function_ser_schema(lambda condition: condition.written)
        return core_schema.no_info_plain_validator_function(cls.of, serialization=written)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        """Describes the spellings for editors."""
        texts: list[dict[str, Any]] = [
            {"type": "string", "minLength": 1},
            {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
        ]
        keys: dict[str, Any] = {
            "pattern": {"type": "string"},
            "ignore_case": {"type": "boolean"},
            "blank": {"type": "boolean"},
            "present": {"type": "boolean"},
        }

        def table(more: Mapping[str, Any]) -> dict[str, Any]:
            properties = {**keys, **more}
            return {"type": "object", "properties": properties, "additionalProperties": False, "minProperties": 1}

        return {"anyOf": [*texts, table({"not": {"anyOf": [*texts, table({})]}})]}


class Conditions(RootModel[dict[FieldName, Condition]]):
    """A table of conditions by field, for the options of a plugin: `when: Conditions = Conditions({})`.

    It holds where every one of them does, so that an empty one always holds.
    """

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _ask_no_password(self, info: ValidationInfo) -> Conditions:
        around = info.context
        known = around.fields if isinstance(around, Surroundings) and around.fields is not None else {}
        for name, condition in self.root.items():
            spec = known.get(name)
            if spec is not None and spec.secret and not condition.is_about_presence:
                raise ValueError(
                    f'"{name}" is secret: only {{ blank = true }} or {{ present = true }} can be asked of it'
                )
            if spec is not None and (fault := condition.misspelt(spec)) is not None:
                raise ValueError(fault)
        return self

    def __bool__(self) -> bool:
        return bool(self.root)

    def holds(self, texts: Mapping[str, str]) -> bool:
        """Whether every condition holds.

        Args:
            texts: the values by field; what is blank or not there is `""`.
        """
        return next(self.unmet(texts), None) is None

    def unmet(self, texts: Mapping[str, str]) -> Iterator[tuple[str, Condition]]:
        """Yields the fields that do not meet their condition, with it; see `holds`."""
        for name, condition in self.root.items():
            if not condition.holds(texts.get(name, "")):
                yield name, condition

    def texts_of(self, row: Row) -> dict[str, str]:
        """Returns the texts of a row that it asks for; that of a password is a mask."""
        values = ((name, row.value(name)) for name in self.root)
        return {name: MASK if value.secret is not None else value.text for name, value in values}

    def statement(self, heading: Callable[[str], str]) -> str:
        """Says what it supposes, e.g. `Department is "Sales" and Country is not "UK"`.

        Args:
            heading: what a field is called in the sheet, e.g. `row.heading`.
        """
        return gettext(" and ").join(condition.statement(heading(name)) for name, condition in self.root.items())


class About(Options):
    """`when` of an element of the pipeline.

    Attributes:
        when: the rows that it is about.
    """

    when: Conditions


def _parts(written: object) -> Iterator[_Part]:
    match written:
        case str() | list() | tuple():
            yield _of_texts(written)
        case Mapping():
            yield from _of_table(written)
        case bool() | int() | float():
            raise ValueError(f'values of a sheet are texts; write "{str(written).lower()}"')
        case _:
            raise ValueError(_HOW)


def _of_texts(written: object) -> _Part:
    listed = [written] if isinstance(written, str) else written
    assert isinstance(listed, list | tuple)
    texts = tuple(clean(text) for text in listed if isinstance(text, str))
    if len(texts) < len(listed) or not texts:
        raise ValueError(_HOW)
    if not all(texts):
        raise ValueError("no value of a sheet is an empty text; write { blank = true }")
    folded = frozenset(map(fold, texts))
    return _Part("is", texts, lambda text: fold(text) in folded)


def _of_table(table: Mapping[Any, Any]) -> Iterator[_Part]:
    for key in table:
        if key not in _KEYS:
            raise ValueError(f'unknown key "{key}"' + (did_you_mean(str(key), _KEYS) or f"; {_HOW}"))
    if not table or ("ignore_case" in table and "pattern" not in table):
        raise ValueError("ignore_case belongs to a pattern" if table else _HOW)
    if "blank" in table and "present" in table:
        raise ValueError("write blank or present, not both")
    for key in {"blank", "present", "ignore_case"}.intersection(table):
        if table[key] is not True and table[key] is not False:
            raise ValueError(f"{key} should be true or false")
    if "blank" in table or "present" in table:
        yield _Part("blank", (), lambda text: not text, negated=not table.get("blank", not table.get("present", False)))
    if "pattern" in table:
        pattern = table["pattern"]
        if not isinstance(pattern, str):
            raise ValueError("pattern should be text")
        yield _Part("form", (pattern,), _form(pattern, ignore_case=table.get("ignore_case", False)))
    if "not" in table:
        yield from _denied(table["not"])


def _form(pattern: str, *, ignore_case: bool) -> Callable[[str], bool]:
    try:
        return matcher(pattern, ignore_case=ignore_case)
    except ValueError as error:
        raise ValueError(f"pattern {error}") from None


def _denied(written: object) -> Iterator[_Part]:
    if isinstance(written, Mapping) and ("not" in written or len(written) > 1 + ("ignore_case" in written)):
        raise ValueError("not takes one thing: a text, a list of texts, or a table with one key that is not `not`")
    for part in _parts(written):
        yield _Part(part.kind, part.quoted, part.meets, negated=not part.negated)
