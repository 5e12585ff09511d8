"""The decorator that makes a function a command with the common options."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, get_type_hints

import typer

from musterroll_cli.common import Common
from musterroll_cli.plain_help import PlainCommand

if TYPE_CHECKING:
    from musterroll_cli.session import Session

P = ParamSpec("P")

YesOption = Annotated[bool, typer.Option("--yes", "-y", show_default=False, help="Go ahead without asking.")]

ForceOption = Annotated[
    bool, typer.Option("--force", show_default=False, help="Write over a file that is there already.")
]
MovedSheetOption = Annotated[
    Path | None,
    typer.Option("--sheet", metavar="PATH", show_default=False, help="Where the sheet is now, if it was moved."),
]
RejectedOption = Annotated[
    Path | None,
    typer.Option(
        "--rejected",
        metavar="FILE",
        show_default=False,
        help='Where rejected rows go (on_error = "skip"), instead of beside the sheet.',
    ),
]


def command(
    app: typer.Typer, name: str, *, example: str
) -> Callable[[Callable[Concatenate[Session, P], int]], Callable[Concatenate[Session, P], int]]:
    """Makes a function a command with the common options.

    The function gets the session first, then its own arguments and options, and returns the exit status; its
    docstring is the help.

    Args:
        app: the group that the command belongs to.
        name: the full name, e.g. `jobs list`.
        example: a command line to end the help with.
    """

    def decorate(function: Callable[Concatenate[Session, P], int]) -> Callable[Concatenate[Session, P], int]:
        def call(**arguments: Any) -> int:
            from musterroll_cli.session import Session  # noqa: PLC0415 -- `--help` does without the engine

            common = Common(**{key: _frozen(arguments.pop(key)) for key in _COMMON})
            return Session(name, common).perform(function, arguments)

        _describe(call, function)
        app.command(
            name.rpartition(" ")[2],
            cls=PlainCommand,
            help=inspect.getdoc(function),
            epilog=f"\b\nExample:\n  {example}",
        )(call)
        return function

    return decorate


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _parameters() -> dict[str, inspect.Parameter]:
    hints = get_type_hints(Common, include_extras=True)
    # typer knows lists, not tuples of any length
    hints["sets"] = Annotated[list[str], *hints["sets"].__metadata__]
    return {
        field.name: inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=[] if field.name == "sets" else field.default,
            annotation=hints[field.name],
        )
        for field in fields(Common)
        if field.default is not MISSING
    }


_COMMON = _parameters()


def _describe(call: Callable[..., int], function: Callable[..., int]) -> None:
    """Gives the wrapper the signature that typer reads: the function's own parameters and the common ones."""
    # The session's type must not be looked up: its module loads the engine.
    hints = get_type_hints(function, localns={"Session": object}, include_extras=True)
    own = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[parameter.name])
        for parameter in list(inspect.signature(function).parameters.values())[1:]
    ]
    parameters = [*own, *_COMMON.values()]
    call.__name__ = function.__name__
    call.__doc__ = function.__doc__
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
