"""The command `musterroll portal`: a mock portal that is a real SCIM 2.0 server, over the embedded directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from musterroll import CommandType, Component, Options, SecretRef, hookimpl
from musterroll_plugins.portal.settings import TOKEN_VARIABLE, ErrorStatus, Fault, Seconds


class PortalOptions(Options):
    """What `musterroll portal` can be told."""

    directory: Path = Field(
        Path("directory.db"), title="DIRECTORY.db", description="The directory's file; made unless it is there."
    )
    host: str = Field("127.0.0.1", description="The address to listen at. Others than this computer need another one.")
    port: int = Field(8080, ge=0, le=65535, description="The port to listen at; 0 takes a free one.")
    token: SecretRef | None = Field(
        None,
        title="TOKEN",
        description=f"The bearer token that requests must bring; better in the environment variable {TOKEN_VARIABLE}."
        " Without one the portal makes one and prints it.",
    )
    passwords: Literal["argon2id", "none"] = Field(
        "argon2id", description="How passwords are stored; none takes them and stores nothing, and is much faster."
    )
    user_schema: tuple[Path, ...] = Field(
        (), title="FILE", description="A SCIM schema, as JSON, that extends users with further attributes."
    )
    fault: tuple[Fault, ...] = Field(
        (),
        title="KIND:RATE",
        description="Misbehave for this share of the requests, e.g. 429:0.05. Kinds: 429, 500, 503, timeout (never an"
        " answer), reset (the connection drops); and with -after-commit (e.g. reset-after-commit) once the request was"
        " carried out. May be repeated.",
    )
    fault_discovery: bool = Field(
        False, description="Misbehave for /ServiceProviderConfig, /Schemas and /ResourceTypes too."
    )
    retry_after: int = Field(
        1, ge=0, description="The seconds that a 429 asks to wait for; a 503 says the same as a date."
    )
    latency: Seconds = Field(0.0, title="TIME", description="Wait before each answer, e.g. 50ms.")
    ignore_filters: bool = Field(False, description="Answer every search with everybody, whatever was asked for.")
    duplicate_status: ErrorStatus = Field(
        409, description="The status that says a username is taken; from 500 on as an HTML page."
    )
    no_patch: bool = Field(False, description="Do without PATCH.")
    no_bulk: bool = Field(False, description="Do without /Bulk.")
    seed: int | None = Field(None, description="Misbehave in the same way every time.")
    verbose: bool = Field(False, description="Print every request and its answer's status.")


def load() -> Callable[[PortalOptions], int]:
    """Returns what runs the command."""
    from musterroll_plugins.portal.command import run  # noqa: PLC0415 -- quick start-up

    return run


@hookimpl
def musterroll_commands() -> Iterator[Component]:
    """Announces the command."""
    yield CommandType(
        name="portal",
        summary="Starts a mock portal: a real SCIM 2.0 server over the embedded directory.",
        help="For rehearsals: point the backend `scim` to the address that it prints. What is written to it is in the"
        " directory's file, where the backend `directory` sees it. Ctrl-C stops it.",
        load=load,
        options=PortalOptions,
        arguments=("directory",),
        example="musterroll portal rehearsal.db --fault 429:0.05 --fault reset-after-commit:0.01 --latency 50ms",
    )
