"""`init`: a working folder to begin with."""

from __future__ import annotations

import re
from contextlib import ExitStack, suppress
from importlib.resources import files
from pathlib import Path
from typing import Annotated, NamedTuple

import tomlkit
import typer

from musterroll import engine, gettext, gettext_noop
from musterroll.errors import MusterrollError, UsageError
from musterroll_cli.new_files import refuse_taken
from musterroll_cli.output.console import Stream, Styled
from musterroll_cli.output.tables import Column, show_table
from musterroll_cli.output.text.columns import show_columns
from musterroll_cli.output.text.words import quoted
from musterroll_cli.session import Session

_BLANK, _SAMPLE = "template.xlsx", "sample.xlsx"
_MADE = {
    engine.DEFAULT_FILE: gettext_noop("how the sheet gets into the portal, with every setting explained"),
    _BLANK: gettext_noop("the blank sheet, to be filled in"),
    _SAMPLE: gettext_noop("a sheet with three made-up users"),
}
_SHEET = re.compile(r"^# --- The sheet -+\n\n", re.MULTILINE)
# Made up; they follow all standard rules, so that the first thing that a person tries works.
_USERS = (
    {
        "email": "ana.silva@example.com",
        "username": "ana",
        "forename": "Ana",
        "surname": "Silva",
        "password": "Meadow-Kite-41",
        "calling_code": "44",
        "phone": "7712345678",
        "groups": "Region|North;Role A",
    },
    {
        "email": "bo.larsen@example.com",
        "username": "bo",
        "forename": "Bo",
        "surname": "Larsen",
        "password": "Harbour-Lamp-77",
        "groups": "Region|South",
    },
    {"username": "cem", "forename": "Cem", "password": "Copper-Field-19", "groups": "Role A"},
)


def init(
    session: Session,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", show_default=False, help="The folder; by default the current one.")
    ] = Path(),
    theirs: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="SHEET",
            show_default=False,
            help="A sheet of the customer's: the pipeline file takes it as it is, as far as that can be found out.",
        ),
    ] = None,
) -> int:
    """Makes a working folder: a pipeline file with explanations, a blank sheet and a sample sheet.

    It writes over nothing. The pipeline runs as it is, into a portal that is a file in that folder. With --from there
    is no sample sheet; the columns are found by their headings, in some languages, and by what they hold.
    """
    common = session.common
    if common.pipeline is not None or common.profile is not None or common.sets:
        raise UsageError(gettext("init makes a pipeline file of its own; leave --pipeline, --profile and --set out"))
    start = make_folder(folder, theirs, external_plugins=not common.no_external_plugins)
    if session.as_json:
        found = {} if start.first is None else start.first.members()
        return session.finish({"created": [str(path) for path in start.created], **found})
    _show(session.out, start)
    return session.finish()


class Start(NamedTuple):
    """A working folder that was made.

    Attributes:
        folder: as it was named.
        created: the files: pipeline, blank sheet, and a sheet with made-up users unless there is one of theirs.
        first: what was found out about a sheet of theirs.
    """

    folder: Path
    created: tuple[Path, ...]
    first: engine.FirstSheet | None


def make_folder(folder: Path, theirs: Path | None = None, *, external_plugins: bool = True) -> Start:
    """Makes a pipeline file, a blank sheet and a sample sheet, and writes over nothing.

    Args:
        folder: where; it is made if need be.
        theirs: a sheet that the pipeline is to take; then there is no sample sheet.
        external_plugins: whether to take plugins of other distributions than musterroll itself.

    Raises:
        UsageError: something is in the way.
        MusterrollError: the files cannot be written, or their sheet cannot be read.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(gettext("{folder} is a file; name a folder", folder=folder), code="output.exists")
    file, blank, sample = (folder / name for name in (engine.DEFAULT_FILE, _BLANK, _SAMPLE))
    created = (file, blank) if theirs else (file, blank, sample)
    refuse_taken(created)
    first = None
    with ExitStack() as undoing:
        if not folder.exists():
            undoing.callback(_remove_empty, folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8", newline="\n") as opened:
                undoing.callback(file.unlink, missing_ok=True)
                opened.write(starter_text(folder.absolute().name))
            pipeline = engine.load_pipeline(file, external_plugins=external_plugins)
            if theirs is not None:
                first = engine.first_sheet(pipeline, theirs)
                file.write_text(starter_text(folder.absolute().name, first), encoding="utf-8", newline="\n")
                pipeline = engine.load_pipeline(file, external_plugins=external_plugins)
        except OSError as error:
            reason = error.strerror or str(error)
            raise MusterrollError(
                gettext("{file} cannot be written: {reason}", file=file, reason=reason), code="output.unwritable"
            ) from None
        engine.template(pipeline, blank)
        undoing.callback(blank.unlink, missing_ok=True)
        if sample in created:
            engine.template(pipeline, sample, users=_USERS)
        undoing.pop_all()
    return Start(folder, created, first)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def starter_text(name: str, first: engine.FirstSheet | None = None) -> str:
    """The pipeline file to begin with, as TOML: explained, and most of it commented out.

    Args:
        name: what the pipeline is to be called; what cannot be in such a name is left out.
        first: the sheet that it is to take.
    """
    text = (files(__package__) / "starter.toml").read_text(encoding="utf-8")
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("._-")
    text = text.replace("NAME", cleaned or "portal", 1)
    if first is None or not first.settings:
        return text
    settings = tomlkit.dumps(first.settings)
    found = f"# As found in a sheet of theirs:\n{settings}\n# What else can be said:\n"
    return _SHEET.sub(lambda heading: f"{heading[0]}{found}", text, count=1)


def _show(stream: Stream, start: Start) -> None:
    """Prints what was made and found, and the next commands."""
    show_table(
        stream,
        (Column(), Column(wraps=True)),
        [(Styled(str(path), "bold"), gettext(_MADE[path.name])) for path in start.created],
    )
    stream.gap()
    first, moved = start.first, start.folder.absolute() != Path.cwd()
    if first is not None:
        show_columns(stream, first.found.layout.columns)
        for doubt in first.doubts:
            stream.line(Styled(gettext("Look at this: "), "yellow"), doubt)
        stream.gap()
    stream.line(gettext("Next:"))
    if moved:
        stream.line(f"  cd {quoted(str(start.folder))}")
    if first is None:
        verbs, sheet = ["plan", "run"], _SAMPLE
    else:
        path = first.found.path
        verbs, sheet = ["validate", "plan", "run"], quoted(str(path.absolute() if moved else path))
    for verb in verbs:
        stream.line(f"  musterroll {verb} {sheet}")
