"""The program as typer knows it: built of the table of commands, and of what plugins bring.

Help is as wide as the terminal, with whole sentences and without the names of Python's types. Nothing here loads the
engine or a plugin before a command is called.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from musterroll_cli.commands import COMMANDS, GROUPS, Command
from musterroll_cli.output.console import Stream

PROGRAM = "musterroll"

EXIT_STATUS = {"ok": 0, "problems": 1, "error": 2, "refused": 3, "failed": 4, "interrupted": 130}
"""By the outcome of a command."""

_WHOLE = 10_000
"""More characters than any summary has."""


class PlainCommand(TyperCommand):
    """A command whose help names arguments by their meaning only: `SHEET`, not `SHEET <path>`."""

    # typer's types of contexts and parameters have moved between its versions, hence Any.
    def get_params(self, ctx: Any) -> list[Any]:
        """Returns arguments and options."""
        parameters: list[Any] = super().get_params(ctx)
        for parameter in parameters:
            if parameter.param_type_name == "argument":
                parameter.display_type_rich = _no_type
        return parameters

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Takes the words of the command line. A mistake in them knows its command, as not all of typer's do."""
        try:
            rest: list[str] = super().parse_args(ctx, args)
        except Exception as mistake:
            if getattr(mistake, "ctx", ctx) is None:
                mistake.ctx = ctx  # type: ignore[attr-defined]
            raise
        return rest


def typer_command(name: str, function: Callable[..., Any], text: str | None, example: str | None) -> Any:
    """Makes a command of a function: its parameters are the arguments and options, `text` is its help."""
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
    epilog = f"\b\nExample:\n  {example}" if example else None
    app.command(name, cls=PlainCommand, help=text, epilog=epilog)(function)
    return get_command(app)


class TableCommand(TyperCommand):
    """A command of the table, whose module is imported when it is called, or asked for its help."""

    def __init__(self, name: str, command: Command) -> None:
        super().__init__(name.rpartition(" ")[2], help=command.summary)
        self._full_name, self._command = name, command

    @cached_property
    def loaded(self) -> Any:
        """The command itself."""
        module, _, name = self._command.function.partition(":")
        function = getattr(import_module(f"{__package__}.commands.{module}"), name)
        call = function
        if self._command.is_session:
            call = import_module(f"{__package__}.session").in_a_session(self._full_name, function)
        return typer_command(str(self.name), call, function.__doc__, f"{PROGRAM} {self._command.example}")

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Takes the words of the command line."""
        return self.loaded.make_context(*args, **options)


class PlainGroup(TyperGroup):
    """A group of commands that shows its help when it is called without one, each summary in full."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Takes the words of the command line."""
        rest: list[str] = super().parse_args(ctx, args or ([] if ctx.resilient_parsing else ["--help"]))
        return rest

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the list of commands; what does not fit into a line is wrapped."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, one.get_short_help_str(_WHOLE)) for name, one in commands if one is not None and not one.hidden]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


class _Root(PlainGroup):
    """The program's own commands, and behind them those of plugins."""

    def list_commands(self, ctx: Any) -> list[str]:
        names: list[str] = super().list_commands(ctx)
        return [*names, *_brought().names()] if ctx.resilient_parsing else names

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        found: Any = super().get_command(ctx, cmd_name)
        return found if found is not None or cmd_name.startswith("-") else _brought().find(cmd_name)


def _brought() -> Any:
    return import_module(f"{__package__}.plugin_commands")


def make_program() -> Any:
    """Makes the whole command line."""
    commands = {name: TableCommand(name, one) for name, one in COMMANDS.items()}
    groups = {
        group: PlainGroup(
            name=group,
            commands=[one for name, one in commands.items() if name.startswith(f"{group} ")],
            help=about.summary,
            epilog=f"\b\nExample:\n  {PROGRAM} {about.example}",
            rich_markup_mode=None,
        )
        for group, about in GROUPS.items()
    }
    program: Any = get_command(_app)
    program.commands |= {**{name: one for name, one in commands.items() if " " not in name}, **groups}
    return program


_app = typer.Typer(
    name=PROGRAM,
    cls=_Root,
    help="Imports users in bulk from spreadsheets into a portal: validated, planned, resumable.",
    epilog="Plugins may bring more commands: `musterroll plugins list` names them.\n\n"
    "\b\nExample:\n  musterroll validate staff.xlsx",
    add_completion=False,
    rich_markup_mode=None,  # plain help: rich alone would take longer than everything else
    pretty_exceptions_enable=False,  # they print local variables
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": _WHOLE},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        Stream(sys.stdout).line(f"{PROGRAM} {import_module(PROGRAM).__version__}")
        raise typer.Exit


@_app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", show_default=False, is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


def _no_type(ctx: Any) -> None:
    return None
