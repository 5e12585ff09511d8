"""Help without the names of Python's types."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


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


def _no_type(ctx: Any) -> None:
    return None
