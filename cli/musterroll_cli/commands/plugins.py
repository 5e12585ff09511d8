"""What is installed: `plugins list`, `plugins show`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from musterroll import engine
from musterroll.engine import documents
from musterroll_cli.output.text.plugins import show_plugin_in_full, show_plugins
from musterroll_cli.session import Session


def complete_component(context: typer.Context, incomplete: str) -> Sequence[str]:
    """Says which names could come next."""
    found = dict.fromkeys(entry.name for entry in engine.Registry.load().listing() if entry.name)
    return [name for name in found if name.startswith(incomplete)]


def list_plugins(session: Session) -> int:
    """Lists what plugins bring, and what is broken.

    These are the installed plugins and those that the pipeline file names.
    """
    listing = session.registry().listing()
    if session.as_json:
        return session.finish(documents.of_listing(listing))
    show_plugins(session.out, listing)
    return session.finish()


def show_plugin(
    session: Session,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            show_default=False,
            autocompletion=complete_component,
            help="The name, as `use` in a pipeline file says it.",
        ),
    ],
    kind: Annotated[
        engine.Kind | None,
        typer.Option("--kind", metavar="KIND", show_default=False, help="The kind, where several have the name."),
    ] = None,
) -> int:
    """Shows what a plugin does, its options, and what to write to use it."""
    found = session.registry().named(name, kind)
    if session.as_json:
        return session.finish(documents.of_plugins(found))
    for number, provider in enumerate(found):
        if number:
            session.out.gap()
        show_plugin_in_full(session.out, provider)
    return session.finish()
