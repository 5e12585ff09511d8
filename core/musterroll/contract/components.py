"""The records by which plugins announce what they bring.

A record names a *kind* of component. The engine builds named *instances* of it from the pipeline file, with
checked options, and calls those directly: pluggy runs once, at start-up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from musterroll.contract.context import Context
from musterroll.contract.options import Options
from musterroll.contract.roles import (
    GroupResolver,
    Notifier,
    Reader,
    RowValidator,
    SheetEditor,
    SheetValidator,
    SheetWriter,
    Transform,
    UserBackend,
)

O = TypeVar("O", bound=Options)  # noqa: E741 -- the options of a component


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """What all records have in common.

    Attributes:
        name: what `use = "…"` in a pipeline file says; lower case with hyphens.
        summary: one line for `plugins list`.
    """

    name: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderType(Component, Generic[O]):
    """Announces a spreadsheet format.

    Attributes:
        options: the model of its options.
        build: makes a reader of checked options.
        suffixes: how file names of this format end, e.g. `.xlsx`, the usual one first.
        writer: makes a writer of the same options; None for a format that is only read.
        editor: makes an editor of the same options, for corrected and annotated copies; None where there is none.
    """

    options: type[O]
    build: Callable[[O, Context], Reader]
    suffixes: tuple[str, ...] = ()
    writer: Callable[[O, Context], SheetWriter] | None = None
    editor: Callable[[O, Context], SheetEditor] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformType(Component, Generic[O]):
    """Announces a transform.

    Attributes:
        options: the model of its options.
        build: makes an instance of checked options, new for every sheet.
    """

    options: type[O]
    build: Callable[[O, Context], Transform]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatorType(Component, Generic[O]):
    """Announces a validator.

    Attributes:
        options: the model of its options.
        build: makes an instance of checked options, new for every sheet.
        fields: the fields that it is about whatever its options say; a pipeline that uses it must have them.
    """

    options: type[O]
    build: Callable[[O, Context], RowValidator | SheetValidator]
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupResolverType(Component, Generic[O]):
    """Announces a group resolver.

    Attributes:
        options: the model of its options.
        build: makes an instance of checked options.
        fields: the fields that it is about whatever its options say; a pipeline that uses it must have them.
    """

    options: type[O]
    build: Callable[[O, Context], GroupResolver]
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UserBackendType(Component, Generic[O]):
    """Announces a user backend.

    Attributes:
        options: the model of its options.
        build: makes an instance of checked options.
    """

    options: type[O]
    build: Callable[[O, Context], UserBackend]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierType(Component, Generic[O]):
    """Announces a notifier.

    Attributes:
        options: the model of its options.
        build: makes an instance of checked options.
    """

    options: type[O]
    build: Callable[[O, Context], Notifier]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandType(Component):
    """Announces a command of the command line.

    With `options`, the fields of that model become the command's options, checked as those of any other plugin
    (`retry_after: int = 1` is `--retry-after N`; a field's `description` is its help, its `title` stands for the
    value, a truth value is a flag, a tuple can be repeated). Without, the function has typer's annotations.

    Attributes:
        load: returns the function to call, which may return the exit status: one that takes the checked
            options, or, where there are no `options`, one that typer can call (or a `typer.Typer`). It is called
            when the command is, so what it needs is imported then.
        options: what can be given on the command line.
        arguments: the fields of `options` that are given by their place, without a name.
        help: a longer description for `--help`, below the summary.
        example: a command line to end `--help` with.
    """

    load: Callable[[], Callable[..., Any]]
    options: type[Options] | None = None
    arguments: tuple[str, ...] = ()
    help: str = ""
    example: str = ""
