"""Help as wide as the terminal, with whole sentences and without the names of Python's types."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

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


def _no_type(ctx: Any) -> None:
    return None
