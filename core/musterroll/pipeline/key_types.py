"""Which types the key of a model has, by its annotations; and what a text of the command line means for them."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Set
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from musterroll.contract.options import REFERENCE_KEYS, SecretRef

_TEXT = (str, Path, SecretRef, bytes)


def types_at(model: Any, path: Iterable[str | int]) -> tuple[Any, ...]:
    """Returns the types that may stand at a path inside a model; none where that is not known.

    Where a part of the path leads nowhere, it is taken for pydantic's name of the branch of a union.
    """
    types = tuple(_branches(model))
    for key in path:
        types = tuple(branch for tp in types for inner in _inside(tp, key) for branch in _branches(inner)) or types
    return types


def type_of_key(model: Any, path: Iterable[str]) -> tuple[Any, ...]:
    """Returns the types of a key; none where there is no such key."""
    types = tuple(_branches(model))
    for key in path:
        types = tuple(branch for tp in types for inner in _inside(tp, key) for branch in _branches(inner))
    return types


def known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> tuple[str, ...]:
    """Returns the keys that a model, or a table inside it, can have."""
    models = [tp for tp in types_at(model, location) if isinstance(tp, type) and issubclass(tp, BaseModel)]
    return tuple(info.alias or name for found in models for name, info in found.model_fields.items())


def meant(text: str, types: Iterable[Any]) -> Any:
    """Returns the value that a text of the command line stands for.

    A key of text takes the characters as they are, any other key a TOML value. What is none stays text: the check of
    the pipeline then says what was expected.

    Args:
        text: what was typed.
        types: the types of the key; none where they are not known.
    """
    value = parse_value(text)
    kinds = [kind for kind in types if kind not in (None, type(None))]
    others = [kind for kind in kinds if not _is_text(kind)]
    if len(others) == len(kinds):  # no text at all, or nothing is known
        return value
    if isinstance(value, Mapping) and len(value) == 1 and value.keys() <= REFERENCE_KEYS:
        return value  # a reference, where a text may be kept elsewhere
    if not others:
        choices = [choice for kind in kinds for choice in _choices(kind)]
        return value if text not in choices and value in choices else text
    if isinstance(value, str) or any(_fits(value, kind) for kind in others):
        return value
    return text


def parse_value(text: str) -> Any:
    """Reads a TOML value; what is none is text."""
    try:
        # As one of two elements: a comment, a second value or a second line would show.
        found = tomllib.loads(f"value = [{text}, 0]")
    except (ValueError, RecursionError):
        return text
    return found["value"][0] if len(found) == 1 and len(found["value"]) == 2 else text


def is_path(kind: Any) -> bool:
    """Whether a type is that of paths."""
    return isinstance(kind, type) and issubclass(kind, Path)


def is_plain(kind: Any) -> bool:
    """Whether a type is one of single values that are no secrets."""
    return kind is type(None) or bool(_choices(kind)) or kind in (bool, int, float, str, Path)


def _choices(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) is Literal:
        return get_args(kind)
    return tuple(member.value for member in kind) if isinstance(kind, type) and issubclass(kind, Enum) else ()


def _is_text(kind: Any) -> bool:
    if choices := _choices(kind):
        return all(isinstance(choice, str) for choice in choices)
    return isinstance(kind, type) and issubclass(kind, _TEXT)


def _fits(value: object, kind: Any) -> bool:
    """Whether a TOML value that is no text can be of a type, as far as the type tells."""
    if kind is Any:
        return True
    if choices := _choices(kind):
        return any(choice == value and type(choice) is type(value) for choice in choices)
    bare = get_origin(kind) or kind
    if not isinstance(bare, type):
        return False
    match value:
        case bool():
            return issubclass(bare, bool)
        case int() | float():
            numbers = (int, float, Decimal, dt.timedelta) if isinstance(value, int) else (float, Decimal, dt.timedelta)
            return issubclass(bare, numbers) and not issubclass(bare, bool)
        case list():
            return issubclass(bare, list | tuple | Set)
        case dict():
            return issubclass(bare, BaseModel | Mapping)
    return issubclass(bare, dt.date | dt.time)


def _branches(annotation: Any) -> Iterator[Any]:
    """Takes `Annotated`, aliases and unions apart."""
    annotation = getattr(annotation, "__value__", annotation)
    if get_origin(annotation) is Annotated:
        yield from _branches(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for branch in get_args(annotation):
            yield from _branches(branch)
    else:
        yield annotation


def _inside(branch: Any, key: int | str) -> Iterator[Any]:
    arguments, origin = get_args(branch), get_origin(branch)
    if isinstance(branch, type) and issubclass(branch, BaseModel):
        yield from (info.annotation for name, info in branch.model_fields.items() if key in (name, info.alias))
    elif branch is Any:
        yield Any
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        yield arguments[1]
    elif arguments and isinstance(origin, type):  # a list, a tuple, …
        yield arguments[0]
