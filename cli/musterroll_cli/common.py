"""The options that every command has, defined once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from musterroll_cli.completion import profiles


class Format(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Common:
    """The values of the common options."""

    pipeline: Annotated[
        Path | None,
        typer.Option(
            "--pipeline",
            "-p",
            metavar="FILE",
            show_default=False,
            help="The pipeline file; without it musterroll.toml in the current folder, else the built-in one.",
        ),
    ] = None
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="NAME",
            show_default=False,
            autocompletion=profiles,
            help="The profile of the pipeline file to use.",
        ),
    ] = None
    sets: Annotated[
        tuple[str, ...],
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            show_default=False,
            help="Changes a setting for this time, e.g. on_error=skip. May be repeated.",
        ),
    ] = ()
    format: Annotated[
        Format, typer.Option("--format", metavar="text|json", help="How to print the result.", show_default=True)
    ] = Format.TEXT
    quiet: Annotated[
        bool, typer.Option("--quiet", show_default=False, help="Print errors and the final line only.")
    ] = False
    verbose: Annotated[
        bool, typer.Option("--verbose", show_default=False, help="Print everything, and what is being done.")
    ] = False
    no_external_plugins: Annotated[
        bool,
        typer.Option("--no-external-plugins", show_default=False, help="Leave installed plugins of others out."),
    ] = False
