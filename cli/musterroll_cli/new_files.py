"""Files that a command makes: all of them, or none, and never over what is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

from musterroll import gettext
from musterroll.errors import MusterrollError, UsageError


def refuse_taken(paths: Iterable[Path]) -> None:
    """Refuses to go on where one of the files is there already.

    Raises:
        UsageError: which ones are.
    """
    taken = [str(path) for path in paths if path.exists() or path.is_symlink()]
    if taken:
        raise UsageError(
            gettext("in the way: {files}; nothing was written", files=", ".join(taken)), code="output.exists"
        )


def write_new(files: Mapping[Path, str]) -> None:
    """Writes new files, and their folders.

    Raises:
        UsageError: one of them is there already.
        MusterrollError: one of them cannot be written; then none of them is.
    """
    refuse_taken(files)
    with ExitStack() as undoing:
        for path, text in files.items():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("x", encoding="utf-8", newline="\n") as file:
                    undoing.callback(path.unlink, missing_ok=True)
                    file.write(text)
            except OSError as error:
                reason = error.strerror or str(error)
                raise MusterrollError(
                    gettext("{path} cannot be written: {reason}", path=path, reason=reason), code="output.unwritable"
                ) from None
        undoing.pop_all()
