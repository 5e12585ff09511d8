"""`init`: a working folder to begin with."""

from __future__ import annotations

import re
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from musterroll import engine
from musterroll.errors import MusterrollError, UsageError
from musterroll_cli.new_files import refuse_taken
from musterroll_cli.output.console import Stream, Styled
from musterroll_cli.output.tables import Column, show_table
from musterroll_cli.output.text.words import quoted
from musterroll_cli.session import Session

_BLANK, _SAMPLE = "template.xlsx", "sample.xlsx"
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
) -> int:
    """Makes a working folder: a pipeline file with explanations, a blank sheet and a sample sheet.

    It writes over nothing. The pipeline runs as it is, into a portal that is a file in that folder.
    """
    common = session.common
    if common.pipeline is not None or common.profile is not None or common.sets:
        raise UsageError("init makes a pipeline file of its own; leave --pipeline, --profile and --set out")
    start = make_folder(folder, external_plugins=not common.no_external_plugins)
    if session.as_json:
        return session.finish({"created": [str(path) for path in start.created]})
    _show(session.out, start)
    return session.finish()


class Start(NamedTuple):
    """A working folder that was made.

    Attributes:
        folder: as it was named.
        pipeline: the pipeline file.
        blank: the blank sheet.
        sample: a sheet with made-up users.
    """

    folder: Path
    pipeline: Path
    blank: Path
    sample: Path

    @property
    def created(self) -> tuple[Path, ...]:
        """The files."""
        return (self.pipeline, self.blank, self.sample)


def make_folder(folder: Path, *, external_plugins: bool = True) -> Start:
    """Makes a pipeline file, a blank sheet and a sample sheet, and writes over nothing.

    Args:
        folder: where; it is made if need be.
        external_plugins: whether to take plugins of other distributions than musterroll itself.

    Raises:
        UsageError: something is in the way.
        MusterrollError: the files cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder", code="output.exists")
    start = Start(folder, folder / engine.DEFAULT_FILE, folder / _BLANK, folder / _SAMPLE)
    refuse_taken(start.created)
    with ExitStack() as undoing:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with start.pipeline.open("x", encoding="utf-8", newline="\n") as file:
                undoing.callback(start.pipeline.unlink, missing_ok=True)
                file.write(starter_text(folder.absolute().name))
        except OSError as error:
            reason = error.strerror or str(error)
            raise MusterrollError(f"{start.pipeline} cannot be written: {reason}", code="output.unwritable") from None
        pipeline = engine.load_pipeline(start.pipeline, external_plugins=external_plugins)
        engine.template(pipeline, start.blank)
        undoing.callback(start.blank.unlink, missing_ok=True)
        engine.template(pipeline, start.sample, users=_USERS)
        undoing.pop_all()
    return start


def starter_text(name: str) -> str:
    """The pipeline file to begin with, as TOML: explained, and most of it commented out.

    Args:
        name: what the pipeline is to be called; what cannot be in such a name is left out.
    """
    text = (files(__package__) / "starter.toml").read_text(encoding="utf-8")
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("._-")
    return text.replace("NAME", cleaned or "portal", 1)


def _show(stream: Stream, start: Start) -> None:
    """Prints what was made, and the next two commands."""
    told = (
        (start.pipeline, "how the sheet gets into the portal, with every setting explained"),
        (start.blank, "the blank sheet, to be filled in"),
        (start.sample, "a sheet with three made-up users"),
    )
    show_table(stream, (Column(), Column(wraps=True)), [(Styled(str(path), "bold"), text) for path, text in told])
    stream.line()
    stream.line("Next:")
    if start.folder.absolute() != Path.cwd():
        stream.line(f"  cd {quoted(str(start.folder))}")
    stream.line(f"  musterroll plan {start.sample.name}")
    stream.line(f"  musterroll run {start.sample.name}")
