"""Commands that plugins bring. Nothing is loaded before a command is called that is not built in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

if TYPE_CHECKING:
    from musterroll.plugin.components import CommandType


class GroupWithExtras(TyperGroup):
    """The program's own commands, and behind them those of plugins."""

    # typer's types of contexts and commands have moved between its versions, hence Any.
    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Finds a command; one that is not built in is looked for among the plugins."""
        found: Any = super().get_command(ctx, cmd_name)
        if found is not None or cmd_name.startswith("-"):
            return found
        record = _plugin_command(cmd_name)
        return _loaded(record) if record is not None else None


def _plugin_command(name: str) -> CommandType | None:
    from musterroll.errors import MusterrollError  # noqa: PLC0415 -- `--help` does without the engine
    from musterroll.plugin.components import CommandType  # noqa: PLC0415
    from musterroll.plugin.registry import Registry  # noqa: PLC0415

    try:
        found = Registry.load().find("command", name)
    except MusterrollError as error:
        if error.code == "plugin.conflict":
            raise
        return None
    return found if isinstance(found, CommandType) else None


def _loaded(record: CommandType) -> Any:
    loaded = record.load()
    if not isinstance(loaded, typer.Typer):
        app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
        app.command(record.name, help=loaded.__doc__ or record.summary)(loaded)
        loaded = app
    return get_command(loaded)
