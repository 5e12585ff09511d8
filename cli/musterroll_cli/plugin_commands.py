"""Commands that plugins bring. Loaded only when a command is called that is not built in, or a shell completes one."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from typer.main import get_command

from musterroll import CommandType, Options, engine
from musterroll.engine import Registry, faults_in, message_for
from musterroll.errors import MusterrollError, UsageError
from musterroll_cli.options import with_parameters
from musterroll_cli.output.text.words import option_text
from musterroll_cli.program import typer_command

# What stands for the value in `--help`, unless the field has a title.
_METAVARS = {int: "N", float: "N"}


def names() -> list[str]:
    """The names of the commands."""
    return [provider.component.name for provider in Registry.load().components("command")]


def find(name: str) -> Any:
    """Finds a command as typer has them; None if no plugin brings it.

    Raises:
        MusterrollError: several do.
    """
    try:
        record = Registry.load().find("command", name)
    except MusterrollError as error:
        if error.code == "plugin.conflict":
            raise
        return None
    return _loaded(record) if isinstance(record, CommandType) else None


def _loaded(record: CommandType) -> Any:
    loaded = record.load() if record.options is None else _with_options(record, record.options)
    if isinstance(loaded, typer.Typer):
        return get_command(loaded)
    text = "\n\n".join(filter(None, (record.summary, record.help))) if record.options else loaded.__doc__
    return typer_command(record.name, loaded, text or record.summary, record.example)


def _with_options(record: CommandType, model: type[Options]) -> Callable[..., Any]:
    """Makes the function that typer calls of a model's fields. typer parses words, pydantic checks them."""

    def call(**words: Any) -> Any:
        given = {name: word for name, word in words.items() if word is not None and word != []}
        options = _checked(model, given, record.arguments)
        with engine.in_language(engine.language_of(os.environ)):
            return record.load()(options)

    return with_parameters(
        call, [_parameter(name, info, record.arguments) for name, info in model.model_fields.items()]
    )


def _checked(model: type[Options], given: Mapping[str, Any], arguments: tuple[str, ...]) -> Options:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        # What was typed is not shown again: it may be a secret.
        lines = [f"{_place(e['loc'], arguments)}{message_for(e, model)}" for e in faults_in(error)]
        raise UsageError("\n".join(dict.fromkeys(lines))) from None


def _place(location: tuple[int | str, ...], arguments: tuple[str, ...]) -> str:
    """Names the option; none where the options do not go together."""
    return f"{option_text(str(location[0]), arguments)}: " if location else ""


def _parameter(name: str, info: FieldInfo, arguments: tuple[str, ...]) -> inspect.Parameter:
    option, kind = option_text(name, ()), _kind(info.annotation)
    several = get_origin(kind) in (tuple, list, set, frozenset)
    (item,) = {_kind(arg) for arg in get_args(kind) if arg is not ...} if several else (kind,)
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    # typer would put the text of a default in brackets, and could not tell it from a default of its own
    shown = f"  [default: {_shown(default)}]" if default and not several and kind is not bool else ""
    common: dict[str, Any] = {"help": (info.description or "") + shown, "show_default": False}
    needed = inspect.Parameter.empty if info.is_required() else None
    word: Any = Path if isinstance(item, type) and issubclass(item, Path) else str
    words = list[word] | None if several else word | None
    annotation: Any
    if name in arguments:
        annotation = Annotated[
            words,
            typer.Argument(metavar=info.title or name.upper(), **common),
        ]
    elif kind is bool:
        spelling = f"{option}/--no-{option[2:]}" if default else option
        annotation = Annotated[bool | None, typer.Option(spelling, **common)]
    else:
        annotation = Annotated[
            words,
            typer.Option(option, metavar=info.title or _metavar(item), **common),
        ]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=needed, annotation=annotation)


def _kind(annotation: Any) -> Any:
    """The type that a value is of, without `Annotated` and `| None`."""
    if get_origin(annotation) is Annotated:
        return _kind(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return _kind(kinds[0])
    return annotation


def _metavar(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "|".join(map(str, get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(member.value) for member in kind)
    return _METAVARS.get(kind, "TEXT")


def _shown(default: object) -> str:
    return str(default.value if isinstance(default, Enum) else default)
