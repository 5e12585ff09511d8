"""`init`: a working folder to begin with."""

from __future__ import annotations

import re
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from musterroll.commands.template import write_sheet
from musterroll.errors import MusterrollError, UsageError
from musterroll.pipeline.files import DEFAULT_FILE
from musterroll.pipeline.loader import load_pipeline
from musterroll.written.new_sheet import writable_formats

_FORMAT = "xlsx"
_BLANK, _SAMPLE = f"template.{_FORMAT}", f"sample.{_FORMAT}"
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


def init(folder: Path, *, external_plugins: bool = True) -> Start:
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
    start = Start(folder, folder / DEFAULT_FILE, folder / _BLANK, folder / _SAMPLE)
    taken = [str(path) for path in start.created if path.exists()]
    if taken:
        raise UsageError(f"in the way: {', '.join(taken)}; nothing was written", code="output.exists")
    with ExitStack() as undoing:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with start.pipeline.open("x", encoding="utf-8", newline="\n") as file:
                undoing.callback(start.pipeline.unlink, missing_ok=True)
                file.write(starter_text(folder.absolute().name))
        except OSError as error:
            reason = error.strerror or str(error)
            raise MusterrollError(f"{start.pipeline} cannot be written: {reason}", code="output.unwritable") from None
        pipeline = load_pipeline(start.pipeline, external_plugins=external_plugins)
        form = next(one for one in writable_formats(pipeline) if one.name == _FORMAT)
        write_sheet(pipeline, form, start.blank)
        undoing.callback(start.blank.unlink, missing_ok=True)
        write_sheet(pipeline, form, start.sample, users=_USERS)
        undoing.pop_all()
    return start


def starter_text(name: str) -> str:
    """The pipeline file to begin with, as TOML: explained, and most of it commented out.

    Args:
        name: what the pipeline is to be called; what cannot be in such a name is left out.
    """
    text = (files("musterroll.pipeline") / "starter.toml").read_text(encoding="utf-8")
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("._-")
    return text.replace("NAME", cleaned or "portal", 1)
