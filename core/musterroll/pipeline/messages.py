"""Says in plain words what pydantic found. The values themselves are never shown: they may be secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.text import did_you_mean
from musterroll.pipeline.key_types import known_keys

_PLAIN = {
    "missing": "is needed",
    "string_type": "should be text",
    "string_sub_type": "should be text",
    "string_unicode": "holds bytes that are no UTF-8",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
    "int_parsing_size": "is too large a number",
    "float_type": "should be a number",
    "float_parsing": "should be a number",
    "finite_number": "should be a finite number",
    "decimal_type": "should be a number",
    "decimal_parsing": "should be a number",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "path_type": "should be a path, as text",
    "bytes_type": "should be text",
    "url_type": "should be an address, as text",
    "dict_type": "should be a table",
    "mapping_type": "should be a table",
    "model_type": "should be a table",
    "model_attributes_type": "should be a table",
    "dataclass_type": "should be a table",
    "list_type": "should be a list, in square brackets",
    "tuple_type": "should be a list, in square brackets",
    "set_type": "should be a list, in square brackets",
    "frozen_set_type": "should be a list, in square brackets",
    "iterable_type": "should be a list, in square brackets",
    "none_required": "should be left out",
}
_BOUNDED = {
    "greater_than": ("gt", "must be more than {}"),
    "greater_than_equal": ("ge", "must be at least {}"),
    "less_than": ("lt", "must be less than {}"),
    "less_than_equal": ("le", "must be at most {}"),
    "multiple_of": ("multiple_of", "must be a multiple of {}"),
    "string_too_short": ("min_length", "must have at least {} characters"),
    "string_too_long": ("max_length", "must be at most {} characters long"),
    "too_short": ("min_length", "needs at least {} entries"),
    "too_long": ("max_length", "must have at most {} entries"),
}
_KEY = "[key]"  # pydantic's name, in a location, for a key itself
_YES = frozenset({"true", "yes", "on", "1", "y"})
_NO = frozenset({"false", "no", "off", "0", "n"})
_NUMBER = late_pattern(r"[1-9][0-9]{0,8}|0")
_LARGE = 10**9
_PATTERNS = {
    r"^[a-z][a-z0-9_]*$": "must be lower-case letters, digits and _, and begin with a letter",
    r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$": 'must be a code in small letters, e.g. "acme.badge"',
    r"^[a-z][a-z0-9_-]*\.[a-z][a-z0-9_-]*$": 'must be the code of a problem, e.g. "phone.trunk_prefix"',
    r"^[!-~]+$": "must be plain letters, digits and signs, without blanks",
    r"^[A-Za-z0-9][A-Za-z0-9._-]*$": "must be letters, digits, dots, hyphens and _, and begin with a letter or digit",
}


def faults_in(error: ValidationError) -> Iterator[ErrorDetails]:
    """Yields what pydantic found, a mistake once.

    It leaves wrong elements out, and then finds their list too short; and of a wrong key it looks at the value all the
    same.

    Args:
        error: what a model's check has raised.
    """
    details = error.errors(include_url=False)
    wrong_keys = {one["loc"][:-1] for one in details if one["loc"][-1:] == (_KEY,)}
    for one in details:
        is_counted = _is_long_enough(one) and any(_is_inside(other["loc"], one["loc"]) for other in details)
        is_below_wrong_key = one["loc"][-1:] != (_KEY,) and any(one["loc"][: len(key)] == key for key in wrong_keys)
        if not (is_counted or is_below_wrong_key):
            yield one


def joined(said: Iterable[tuple[str, str]]) -> str:
    """Puts into one text what the branches of a union say of one value.

    Args:
        said: pydantic's kind of each error, and its text.
    """
    found = dict.fromkeys(said)
    if any(kind in _BOUNDED or kind == "string_pattern_mismatch" for kind, _ in found):  # it is of that branch
        found = dict.fromkeys(one for one in found if not one[0].endswith("_type"))
    first, *others = dict.fromkeys(text for _, text in found)
    return ", or ".join([first, *(text.removeprefix("should be ") for text in others)])


def message_for(error: ErrorDetails, model: type[BaseModel]) -> str:
    """Puts an error of a model's check into words.

    Args:
        error: one of pydantic's errors.
        model: what was checked, for its known keys.
    """
    kind, context = error["type"], error.get("ctx", {})
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        text = f"unknown option{did_you_mean(str(error['loc'][-1]), known_keys(model, error['loc'][:-1]))}"
    elif kind in ("literal_error", "enum"):
        text = _one_of(str(context.get("expected", "")), error["input"])
    elif kind in _BOUNDED:
        text = _bounded(kind, context)
    elif kind == "string_pattern_mismatch":
        pattern = str(context.get("pattern"))
        text = _PATTERNS.get(pattern, f"must match the pattern {pattern}")
    elif kind in ("value_error", "assertion_error"):
        text = str(context.get("error", "")) or "is not valid"
        text = text[:1].lower() + text[1:] if text[:2].istitle() else text
    elif kind.startswith(("date", "time", "url", "uuid", "ip_", "union_tag")):
        # pydantic's own texts quote a part of the value here
        text = f"is not a valid {kind.split('_')[0].replace('union', 'choice').replace('ip', 'IP address')}"
    else:
        text = _PLAIN.get(kind) or re.sub(r"^Input should", "should", error["msg"])
    return text + _remedy(kind, error["input"])


def _is_long_enough(one: ErrorDetails) -> bool:
    """Whether a list that was found too short would be long enough with its wrong elements."""
    written, least = one["input"], one.get("ctx", {}).get("min_length")
    return one["type"] == "too_short" and isinstance(written, Sized) and least is not None and len(written) >= least


def _is_inside(place: tuple[int | str, ...], other: tuple[int | str, ...]) -> bool:
    return len(place) > len(other) and place[: len(other)] == other


def _remedy(kind: str, value: object) -> str:
    """What to write instead, where that is certain. Of texts only numbers and truth values are repeated."""
    if kind == "bool_type" and isinstance(value, str | int):
        said = str(value).strip().casefold()
        return f"; write {'true' if said in _YES else 'false'}" if said in _YES | _NO else ""
    if kind in ("int_type", "float_type") and isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return f"; write {value.strip()}"
    if kind == "int_type" and isinstance(value, float) and value.is_integer() and abs(value) < _LARGE:
        return f"; write {int(value)}"
    if kind == "string_type" and isinstance(value, bool | int | float):
        return ", in quotation marks"
    if kind == "string_type" and isinstance(value, list):
        return ", one and not a list"
    return ""


def _bounded(kind: str, context: Mapping[str, Any]) -> str:
    key, text = _BOUNDED[kind]
    if context.get(key) == 1 and kind in ("string_too_short", "too_short"):
        return "must not be empty"
    return text.format(context.get(key))


def _one_of(expected: str, value: object) -> str:
    choices = re.findall(r"'([^']*)'", expected)
    text = "must be " + (expected.replace("'", '"') or "something else")
    return text + (did_you_mean(value, choices) if isinstance(value, str) and len(choices) > 1 else "")
