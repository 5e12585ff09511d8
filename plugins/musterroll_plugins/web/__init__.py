"""The command `musterroll web`: the import as pages, and as an API for programs. A face of the engine, nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import Field

from musterroll import CommandType, Options, hookimpl


class WebOptions(Options):
    """What `musterroll web` can be told."""

    pipelines: tuple[Path, ...] = Field(
        (),
        title="PIPELINE|FOLDER",
        description="Pipeline files, one a customer, or folders of them (FOLDER/*.toml and FOLDER/*/musterroll.toml)."
        " Without any: musterroll.toml in the current folder.",
    )
    host: str = Field(
        "127.0.0.1",
        description="The address to listen at. Others than this computer's need a sign-in (--access), and TLS or a"
        " proxy.",
    )
    port: int = Field(8421, ge=0, le=65535, description="The port to listen at; 0 takes a free one.")
    access: Path | None = Field(
        None,
        title="FILE",
        description="A TOML file that says who may do what: people, how they sign in, and programs with their tokens."
        " Without one, whoever has the address that is printed at the start may do everything.",
    )
    public_url: str | None = Field(
        None,
        title="URL",
        description="The address that people use, where a proxy is in front, e.g. https://import.acme.example.",
    )
    tls_certificate: Path | None = Field(None, title="FILE", description="Serve HTTPS with this certificate (PEM).")
    tls_key: Path | None = Field(None, title="FILE", description="The certificate's key (PEM).")
    state: Path | None = Field(
        None,
        title="FOLDER",
        description="Where uploads, views and the audit log are kept; .musterroll/web beside the first pipeline"
        " without it.",
    )
    max_upload: int = Field(
        50, ge=1, le=10_000, title="MB", description="The largest file that is taken, in megabytes."
    )
    max_uploads: int = Field(
        20, ge=1, le=10_000, description="How many uploads a customer can have that are not imported yet."
    )


def load() -> Callable[[WebOptions], int]:
    """Returns what runs the command."""
    from musterroll_plugins.web.command import run  # noqa: PLC0415 -- quick start-up

    return run


@hookimpl
def musterroll_commands() -> Iterator[CommandType]:
    """Announces the command."""
    yield CommandType(
        name="web",
        summary="Serves the import as pages: upload, check, import, history. Works in any browser.",
        help="Prints an address that lets one browser in; nobody else gets anything to see. Every act is noted in an"
        " audit log. Ctrl-C stops it; what is under way can be gone on with.",
        load=load,
        options=WebOptions,
        arguments=("pipelines",),
        example="musterroll web customers/ --port 8421",
    )
