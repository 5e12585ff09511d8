"""The pipeline file: `pipeline check`, `pipeline show`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from musterroll_cli.options import command

if TYPE_CHECKING:
    from musterroll_cli.session import Session

app = typer.Typer(
    help="Checks and shows the pipeline file.",
    epilog="\b\nExample:\n  musterroll pipeline check -p acme.toml",
    rich_markup_mode=None,
)


@command(app, "pipeline check", example="musterroll pipeline check -p acme.toml --profile production")
def check_pipeline(session: Session) -> int:
    """Checks the pipeline file and lists all its mistakes.

    The options of every plugin in it are checked too. Nothing is read, written or connected to.
    """
    from musterroll.errors import PipelineError  # noqa: PLC0415 -- `--help` does without the engine
    from musterroll_cli.records import mistake_records  # noqa: PLC0415

    try:
        pipeline = session.load()
    except PipelineError as error:
        if session.as_json:
            session.add({"valid": False, "mistakes": mistake_records(error.mistakes)})
        raise
    if session.as_json:
        return session.finish({"valid": True, "warnings": mistake_records(pipeline.warnings)})
    session.out.line(f"{_short(pipeline.file) if pipeline.file else 'standard (built in)'}: ok")
    return session.finish()


def _short(file: Path) -> Path:
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


@command(app, "pipeline show", example="musterroll pipeline show -p acme.toml > merged.toml")
def show_pipeline(session: Session) -> int:
    """Prints the merged pipeline as TOML, secrets masked.

    That is what the built-in pipeline, the file, those it extends, the profile and --set come to.
    """
    import tomli_w  # noqa: PLC0415 -- start-up

    pipeline = session.load()
    if session.as_json:
        return session.finish({"settings": pipeline.merged})
    session.out.lines(tomli_w.dumps(dict(pipeline.merged)))
    return session.finish()
