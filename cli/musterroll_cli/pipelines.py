"""The pipeline file: `pipeline check`, `pipeline show`, `pipeline schema`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from musterroll_cli.options import command
from musterroll_cli.plain_help import PlainGroup

if TYPE_CHECKING:
    from musterroll_cli.session import Session

app = typer.Typer(
    cls=PlainGroup,
    help="Checks and shows the pipeline file.",
    epilog="\b\nExample:\n  musterroll pipeline check -p acme.toml",
    rich_markup_mode=None,
)


@command(app, "pipeline check", example="musterroll pipeline check -p acme.toml --profile production")
def check_pipeline(session: Session) -> int:
    """Checks the pipeline file and lists all its mistakes, with every profile.

    The options of every plugin are checked too, whether secrets are there, and the files that rules and notifiers
    need. Nothing is written or connected to; `musterroll doctor` also asks portal and mail server.
    """
    from musterroll import engine  # noqa: PLC0415 -- `--help` does without the engine
    from musterroll.errors import PipelineError  # noqa: PLC0415
    from musterroll.pipeline.loader import profile_names  # noqa: PLC0415
    from musterroll_cli.records import mistake_records  # noqa: PLC0415
    from musterroll_cli.text.words import short_path  # noqa: PLC0415

    try:
        profiles = profile_names(session.common.pipeline)
        checked = engine.check(session.load_quietly, session.common.profile, profiles)
    except PipelineError as error:  # the file cannot be read at all
        if session.as_json:
            session.add({"valid": False, "mistakes": mistake_records(error.mistakes)})
        raise
    if session.as_json:
        mistakes, warnings = mistake_records(checked.mistakes), mistake_records(checked.warnings)
        session.add({"valid": not checked.mistakes, "mistakes": mistakes, "warnings": warnings})
    else:
        for warning in checked.warnings:
            session.warn(str(warning))
    if checked.mistakes or checked.pipeline is None:
        raise PipelineError(checked.mistakes)
    if not session.as_json:
        name = short_path(checked.pipeline.file) if checked.pipeline.file else "standard (built in)"
        session.out.line(f"{name}: ok")
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
