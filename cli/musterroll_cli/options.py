"""The options and arguments that several commands have, and what the shell may complete them to."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import typer

from musterroll import engine
from musterroll.errors import MusterrollError


def _profiles(context: typer.Context, incomplete: str) -> Sequence[str]:
    try:
        found = engine.profile_names(context.params.get("pipeline"))
    except MusterrollError:
        return []
    return [name for name in found if name.startswith(incomplete)]


def _jobs(context: typer.Context, incomplete: str) -> Sequence[str]:
    try:
        pipeline = engine.load_pipeline(context.params.get("pipeline"), profile=context.params.get("profile"))
        found = ["last", *(job.id for job in engine.list_jobs(pipeline))]
    except MusterrollError:
        return []
    return [name for name in found if name.startswith(incomplete)]


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
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE",
        show_default=False,
        help="Keep the result in a file, too: a page (.html), a table (.csv), .md or .junit.xml.",
    ),
]
SheetArgument = Annotated[
    Path, typer.Argument(metavar="SHEET", show_default=False, help="The spreadsheet with the users.")
]
SheetOrInputArgument = Annotated[
    Path,
    typer.Argument(
        metavar="SHEET",
        show_default=False,
        help="The spreadsheet with the users; `-` is standard input.",
        allow_dash=True,
    ),
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="USER",
        show_default=False,
        help="Only the row of this username, to try one for real. May be repeated.",
    ),
]
RowsOption = Annotated[
    str | None,
    typer.Option(
        "--rows", metavar="A-B", show_default=False, help="Only these rows, by the sheet's numbers, e.g. 3-10."
    ),
]
ExpectOption = Annotated[
    list[str] | None,
    typer.Option(
        "--expect",
        metavar="WHAT=N..M",
        show_default=False,
        help="Refuse unless the plan comes to this, e.g. create=30..60. May be repeated.",
    ),
]
WaitOption = Annotated[
    str | None,
    typer.Option(
        "--wait",
        metavar="TIME",
        show_default=False,
        help="How long to wait for another musterroll on this pipeline, e.g. 10m.",
    ),
]
InvitesOption = Annotated[
    engine.SendTo | None,
    typer.Option(
        "--invites",
        metavar="none|new|all|pending",
        show_default=False,
        help="Who is invited this time, whatever the pipeline says.",
    ),
]
AnnotateOption = Annotated[
    Path | None,
    typer.Option(
        "--annotate",
        metavar="OUT",
        show_default=False,
        help="Write a copy of the sheet that shows what is wrong: marked cells, notes, and a list in front.",
    ),
]
KeepPasswordsOption = Annotated[
    bool,
    typer.Option(
        "--keep-passwords",
        show_default=False,
        help="Keep the passwords in the annotated copy and the rejected rows, which only you can then read.",
    ),
]
HandOverOption = Annotated[
    Path | None,
    typer.Option(
        "--hand-over",
        metavar="FILE",
        show_default=False,
        help="Where first passwords go that are made and no invite tells: FILE.html, a slip a person, or FILE.csv.",
    ),
]
StrictOption = Annotated[bool, typer.Option("--strict", show_default=False, help="Take every warning for an error.")]
JobArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        show_default=False,
        autocompletion=_jobs,
        help="The job's id, a part of it that only it has, or `last`.",
    ),
]


@dataclass(frozen=True, slots=True)
class Common:
    """The values of the common options."""

    pipeline: Annotated[
        Path | None,
        typer.Option(
            "--pipeline",
            "-p",
            metavar="FILE",
            show_default=False,
            help="The pipeline file; without it musterroll.toml in the current folder, else the built-in one.",
        ),
    ] = None
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="NAME",
            show_default=False,
            autocompletion=_profiles,
            help="The profile of the pipeline file to use.",
        ),
    ] = None
    sets: Annotated[
        tuple[str, ...],
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            show_default=False,
            help="Changes a setting for this time, e.g. on_error=skip. May be repeated.",
        ),
    ] = ()
    format: Annotated[
        Literal["text", "json"],
        typer.Option("--format", metavar="text|json", help="How to print the result.", show_default=True),
    ] = "text"
    quiet: Annotated[
        bool, typer.Option("--quiet", show_default=False, help="Print errors and the final line only.")
    ] = False
    verbose: Annotated[
        bool, typer.Option("--verbose", show_default=False, help="Print everything, and what is being done.")
    ] = False
    no_external_plugins: Annotated[
        bool,
        typer.Option("--no-external-plugins", show_default=False, help="Leave installed plugins of others out."),
    ] = False


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
    }


_COMMON = _parameters()


def with_common_options(
    function: Callable[..., int], call: Callable[[Common, dict[str, Any]], int]
) -> Callable[..., int]:
    """Makes the function that typer calls: it has the arguments of a command's function, and the common options.

    Args:
        function: the command's function; its first argument is the session.
        call: is given the common options, and the function's own arguments.
    """

    def called(**arguments: Any) -> int:
        common = {name: arguments.pop(name) for name in _COMMON}
        return call(Common(**common | {"sets": tuple(common["sets"])}), arguments)

    hints = get_type_hints(function, include_extras=True)
    own = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[parameter.name])
        for parameter in list(inspect.signature(function).parameters.values())[1:]
    ]
    return with_parameters(called, [*own, *_COMMON.values()])


def with_parameters(function: Callable[..., Any], parameters: Sequence[inspect.Parameter]) -> Callable[..., Any]:
    """Gives a function the parameters that typer reads."""
    function.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return function
