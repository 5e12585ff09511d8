"""What is installed: `plugins list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from musterroll_cli.options import command

if TYPE_CHECKING:
    from musterroll.plugin.registry import Registry
    from musterroll_cli.session import Session

app = typer.Typer(
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

    listing = _registry(session).listing()
    if session.as_json:
        names = ("kind", "name", "summary", "plugin", "distribution", "version", "status", "detail")
        records = [{name: getattr(entry, name) for name in names} for entry in listing]
        return session.finish({"plugins": records})
    show_plugins(session.out, listing)
    return session.finish()


def _registry(session: Session) -> Registry:
    """Finds the plugins; a pipeline file with mistakes only costs its own ones."""
    from musterroll.errors import PipelineError  # noqa: PLC0415 -- `--help` does without the engine
    from musterroll.plugin.registry import Registry  # noqa: PLC0415

    try:
        return session.load().registry
    except PipelineError as error:
        if error.code != PipelineError.code:  # there is no such file, or it cannot be read at all
            raise
        session.warn("the pipeline has mistakes (see `musterroll pipeline check`); its own plugins are not listed")
        return Registry.load(external=not session.common.no_external_plugins)
