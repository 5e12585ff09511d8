"""What is installed: `plugins list`, `plugins show`."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from musterroll_cli import completion
from musterroll_cli.options import command
from musterroll_cli.plain_help import PlainGroup

if TYPE_CHECKING:
    from musterroll_cli.session import Session


class KindChoice(Enum):
    """The kinds of components."""

    READER = "reader"
    VALIDATOR = "validator"
    GROUP_RESOLVER = "group_resolver"
    USER_BACKEND = "user_backend"
    NOTIFIER = "notifier"
    COMMAND = "command"


app = typer.Typer(
    cls=PlainGroup,
    help="Shows what is installed, and from where.",
    epilog="\b\nExample:\n  musterroll plugins list",
    rich_markup_mode=None,
)


@command(app, "plugins list", example="musterroll plugins list --format json")
def list_plugins(session: Session) -> int:
    """Lists what plugins bring, and what is broken.

    These are the installed plugins and those that the pipeline file names.
    """
    from musterroll_cli.text.plugins import show_plugins  # noqa: PLC0415 -- `--help` does without the engine

    listing = session.registry().listing()
    if session.as_json:
        names = ("kind", "name", "summary", "plugin", "distribution", "version", "status", "detail")
        records = [{name: getattr(entry, name) for name in names} for entry in listing]
        return session.finish({"plugins": records})
    show_plugins(session.out, listing)
    return session.finish()


@command(app, "plugins show", example="musterroll plugins show scim")
def show_plugin(
    session: Session,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            show_default=False,
            autocompletion=completion.components,
            help="The name, as `use` in a pipeline file says it.",
        ),
    ],
    kind: Annotated[
        KindChoice | None,
        typer.Option("--kind", metavar="KIND", show_default=False, help="The kind, where several have the name."),
    ] = None,
) -> int:
    """Shows what a plugin does, its options, and what to write to use it."""
    from musterroll_cli.records import described_plugin  # noqa: PLC0415 -- `--help` does without the engine
    from musterroll_cli.text.plugins import show_plugin_in_full  # noqa: PLC0415

    found = session.registry().named(name, None if kind is None else kind.value)
    if session.as_json:
        return session.finish({"plugins": [described_plugin(provider) for provider in found]})
    for number, provider in enumerate(found):
        if number:
            session.out.line()
        show_plugin_in_full(session.out, provider)
    return session.finish()
