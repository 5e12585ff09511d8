"""The backend `directory`: the embedded portal, one SQLite file that any sqlite3 program can read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from musterroll import Component, Context, FilePath, Options, UserBackend, UserBackendType, hookimpl


class DirectoryOptions(Options):
    """Options of the backend `directory`.

    Attributes:
        path: the SQLite file; made when something is first written, in a folder that exists.
        passwords: how passwords are stored; `none` takes them and stores nothing, for rehearsals.
        unique_email: an address may belong to one user only.
    """

    path: FilePath = Path("directory.db")
    passwords: Literal["argon2id", "none"] = "argon2id"
    unique_email: bool = False


def build(options: DirectoryOptions, context: Context) -> UserBackend:
    """Opens the directory.

    Raises:
        BackendError: the file cannot be used, or is none of musterroll's.
    """
    from musterroll_plugins.backends.directory.backend import DirectoryBackend  # noqa: PLC0415 -- quick start-up

    return DirectoryBackend(
        options.path,
        read_only=context.read_only,
        hash_passwords=options.passwords == "argon2id",
        unique_email=options.unique_email,
        clock=context.clock,
    )


@hookimpl
def musterroll_user_backends() -> Iterator[Component]:
    """Announces the backend."""
    yield UserBackendType(
        name="directory",
        summary="The embedded portal: users and groups in one SQLite file",
        options=DirectoryOptions,
        build=build,
    )
