"""The pipeline file: `pipeline check`, `pipeline show`, `pipeline schema`."""

from __future__ import annotations

import json

import tomli_w

from musterroll import engine, gettext
from musterroll.errors import PipelineError
from musterroll_cli.options import SheetArgument
from musterroll_cli.output.text.columns import show_columns
from musterroll_cli.output.text.words import short_path
from musterroll_cli.session import Session


def check_pipeline(session: Session) -> int:
    """Checks the pipeline file and lists all its mistakes, with every profile.

    The options of every plugin are checked too, whether secrets are there, and the files that rules and notifiers
    need. Nothing is written or connected to; `musterroll doctor` also asks portal and mail server.
    """
    try:
        profiles = engine.profile_names(session.common.pipeline)
        checked = engine.check(session.load_quietly, session.common.profile, profiles)
    except PipelineError as error:  # the file cannot be read at all
        if session.as_json:
            session.add(engine.Checked(None, error.mistakes, ()).members())
        raise
    if session.as_json:
        session.add(checked.members())
    else:
        for warning in checked.warnings:
            session.warn(str(warning))
    if checked.mistakes or checked.pipeline is None:
        raise PipelineError(checked.mistakes)
    if not session.as_json:
        name = short_path(checked.pipeline.file) if checked.pipeline.file else gettext("standard (built in)")
        session.out.line(gettext("{path}: ok", path=name))
        for remark in checked.remarks:
            session.out.line(f"  {remark}")
    return session.finish()


def map_columns(session: Session, sheet: SheetArgument) -> int:
    """Writes what a sheet calls the columns into the pipeline file.

    They become aliases; the comments of the file stay. Columns are found by their headings, in some languages,
    by nearly the same headings, and by what they hold. What each was taken for is shown, to be looked at.
    """
    mapped = engine.map_columns(session.load(), sheet)
    if session.as_json:
        return session.finish(mapped.members())
    show_columns(session.out, mapped.columns)
    for name, headings in mapped.aliases.items():
        session.out.line(
            gettext(
                '{path}: sheet.aliases.{name} has "{heading}" now',
                path=short_path(mapped.path),
                name=name,
                heading=headings[0],
            )
        )
    if not mapped.aliases:
        session.out.line(gettext("Nothing to write: no heading needs an alias."))
    if mapped.missing:
        session.warn(gettext("no column was found for {fields}", fields=", ".join(mapped.missing)))
    return session.finish()


def show_pipeline(session: Session) -> int:
    """Prints the merged pipeline as TOML, secrets masked.

    That is what the built-in pipeline, the file, those it extends, the profile and --set come to.
    """
    pipeline = session.load()
    if session.as_json:
        return session.finish({"settings": pipeline.shown})
    session.out.lines(tomli_w.dumps(dict(pipeline.shown)))
    return session.finish()


def print_schema(session: Session) -> int:
    """Prints the JSON Schema of pipeline files, for editors.

    It knows the options of the plugins that are installed, and of those that the pipeline file names. An editor
    takes it for a file whose first line is: #:schema ./musterroll.schema.json
    """
    schema = engine.pipeline_schema(session.registry())
    if session.as_json:
        return session.finish({"json_schema": schema})
    session.out.lines(json.dumps(schema, indent=2, ensure_ascii=False))
    return session.finish()
