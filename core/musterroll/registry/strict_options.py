"""Checks options strictly: what TOML calls text, number or truth value is not taken for another of them.

pydantic's own strict mode is not used, because it would also refuse what TOML has no words for and has to be made of
text or lists: paths, enums, tuples, sets, dates. Here only the kinds that TOML does have are kept apart, in every model
and whatever is inside it, so that authors of plugins need not think of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal, TypeVar

from pydantic import BaseModel
from pydantic_core import PydanticKnownError, SchemaValidator, core_schema

M = TypeVar("M", bound=BaseModel)
_STRICT = ("bool", "int", "float")
# Parts of a schema that are no schemas themselves; a default may well look like one.
_DATA = frozenset({"metadata", "cls", "config", "default", "expected", "members", "function", "serialization"})
_TIMES: dict[str, Literal["date_type", "datetime_type", "time_type", "time_delta_type"]] = {
    "date": "date_type",
    "datetime": "datetime_type",
    "time": "time_type",
    "timedelta": "time_delta_type",
}


def checked(model: type[M], data: object, context: object = None) -> M:
    """Makes a model of plain TOML data.

    Args:
        model: what the data must be.
        data: tables, lists, texts, numbers, truth values and dates.
        context: pydantic's validation context.

    Raises:
        ValidationError: what is wrong, all of it.
    """
    found: M = _validator(model).validate_python(data, context=context)
    return found


@cache
def _validator(model: type[BaseModel]) -> SchemaValidator:
    if not model.__pydantic_complete__:
        model.model_rebuild()
    schema = _strict(model.__pydantic_core_schema__)
    # Without the validators that models inside this one have already, which are not strict.
    return SchemaValidator(schema, None, False)


def _strict(node: Any) -> Any:
    if isinstance(node, Mapping):
        found = {key: value if key in _DATA else _strict(value) for key, value in node.items()}
        kind = found.get("type")
        return _stricter(kind, found) if isinstance(kind, str) else found
    if isinstance(node, list | tuple):
        return type(node)(map(_strict, node))
    return node


def _stricter(kind: str, schema: dict[str, Any]) -> Any:
    if kind in _STRICT:
        schema.setdefault("strict", True)
    elif kind == "literal":
        return _before(_one_of(schema["expected"], "literal_error"), schema)
    elif kind == "enum" and schema.get("sub_type") != "str":
        return _before(_one_of([member.value for member in schema["members"]], "enum"), schema)
    elif kind in _TIMES:
        return _before(_no_number(kind), schema)
    return schema


def _before(function: Callable[[Any], Any], schema: Any) -> core_schema.CoreSchema:
    return core_schema.no_info_before_validator_function(function, schema)


def _one_of(expected: list[Any], fault: Literal["literal_error", "enum"]) -> Callable[[Any], Any]:
    """1 and true are equal to Python, and a person who writes one of them does not mean the other."""
    *first, last = map(_toml_text, expected)
    listed = f"{', '.join(first)} or {last}" if first else last

    def check(value: object) -> object:
        if type(value) in (bool, int, float, str) and not any(
            one == value and type(one) is type(value) for one in expected
        ):
            raise PydanticKnownError(fault, {"expected": listed})
        return value

    return check


def _toml_text(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _no_number(kind: str) -> Callable[[Any], Any]:
    refused = bool if kind == "timedelta" else bool | int | float

    def check(value: object) -> object:
        if isinstance(value, refused):
            raise PydanticKnownError(_TIMES[kind])
        return value

    return check
