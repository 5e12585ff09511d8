"""The pipeline file: `pipeline check`, `pipeline show`, `pipeline schema`."""

from __future__ import annotations

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
    from musterroll_cli.text.words import short_path  # noqa: PLC0415

    try:
        pipeline = session.load()
    except PipelineError as error:
        if session.as_json:
            session.add({"valid": False, "mistakes": mistake_records(error.mistakes)})
        raise
    if session.as_json:
        return session.finish({"valid": True, "warnings": mistake_records(pipeline.warnings)})
    session.out.line(f"{short_path(pipeline.file) if pipeline.file else 'standard (built in)'}: ok")
    return session.finish()


@command(app, "pipeline show", example="musterroll pipeline show -p acme.toml > merged.toml")
def show_pipeline(session: Session) -> int:
    """Prints the merged pipeline as TOML, secrets masked.

    That is what the built-in pipeline, the file, those it extends, the profile and --set come to.
    """
    import tomli_w  # noqa: PLC0415 -- start-up

    pipeline = session.load()
    if session.as_json:
        return session.finish({"settings": pipeline.shown})
    session.out.lines(tomli_w.dumps(dict(pipeline.shown)))
    return session.finish()


@command(app, "pipeline schema", example="musterroll pipeline schema > musterroll.schema.json")
def print_schema(session: Session) -> int:
    """Prints the JSON Schema of pipeline files, for editors.

    It knows the options of the plugins that are installed, and of those that the pipeline file names. An editor
    takes it for a file whose first line is: #:schema ./musterroll.schema.json
    """
    import json  # noqa: PLC0415 -- start-up

    from musterroll.pipeline.json_schema import pipeline_schema  # noqa: PLC0415 -- `--help` does without the engine

    schema = pipeline_schema(session.registry())
    if session.as_json:
        return session.finish({"json_schema": schema})
    session.out.lines(json.dumps(schema, indent=2, ensure_ascii=False))
    return session.finish()
