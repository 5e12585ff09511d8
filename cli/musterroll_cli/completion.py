"""Completion in the shell: the scripts for it, and what the shell is answered."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from musterroll_cli.console import Stream
from musterroll_cli.plain_help import PlainCommand

_PROGRAM = "musterroll"
_VARIABLE = "_MUSTERROLL_COMPLETE"
"""Set by the scripts when they want an answer; the name is typer's."""


class Shell(StrEnum):
    """The shells that there is a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


def add_to(app: typer.Typer) -> None:
    """Adds the command to the program itself: it belongs to no group."""
    epilog = "\b\nExample:\n  musterroll completion bash >> ~/.bashrc"
    app.command("completion", cls=PlainCommand, epilog=epilog)(completion)


def completion(
    shell: Annotated[Shell, typer.Argument(metavar="bash|zsh|fish|powershell", show_default=False, help="The shell.")],
) -> None:
    """Prints the script that makes Tab complete commands and options.

    Put it where your shell reads scripts from when it starts: ~/.bashrc, ~/.zshrc (after compinit),
    ~/.config/fish/completions/musterroll.fish, or the file that $PROFILE names in PowerShell.
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]  # noqa: PLC0415 -- re-exported

    script = get_completion_script(prog_name=_PROGRAM, complete_var=_VARIABLE, shell=shell.value)
    Stream(sys.stdout).write(script + "\n")


def is_completing() -> bool:
    """Whether a shell asks what could come next."""
    return _VARIABLE in os.environ


def answer(program: Any) -> int:
    """Answers the shell. Whatever is wrong, nothing is said: a person is in the middle of a line.

    Args:
        program: the whole command line, as typer made it.
    """
    from typer.completion import get_completion_inspect_parameters  # noqa: PLC0415 -- start-up

    get_completion_inspect_parameters()  # makes the shells known
    try:
        program.main(prog_name=_PROGRAM, standalone_mode=False)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except Exception:
        return 1
    return 0


def profiles(context: typer.Context, incomplete: str) -> Sequence[str]:
    """The profiles of the pipeline file that the command line names."""
    from musterroll.errors import PipelineError  # noqa: PLC0415 -- `--help` does without the engine
    from musterroll.pipeline.files import DEFAULT_FILE, read_chain  # noqa: PLC0415

    file = Path(context.params.get("pipeline") or DEFAULT_FILE)
    try:
        chain = read_chain(file, Path.cwd())
    except PipelineError:
        return []
    names = dict.fromkeys(name for document in chain for name in document.profiles)
    return [name for name in names if name.startswith(incomplete)]


def jobs(context: typer.Context, incomplete: str) -> Sequence[str]:
    """The jobs of the pipeline, newest first."""
    from musterroll import engine  # noqa: PLC0415 -- `--help` does without the engine
    from musterroll.errors import MusterrollError  # noqa: PLC0415
    from musterroll.pipeline.loader import load_pipeline  # noqa: PLC0415

    try:
        pipeline = load_pipeline(context.params.get("pipeline"), profile=context.params.get("profile"))
        found = ["last", *(job.id for job in engine.list_jobs(pipeline))]
    except MusterrollError:
        return []
    return [name for name in found if name.startswith(incomplete)]


def components(context: typer.Context, incomplete: str) -> Sequence[str]:
    """The names of what installed plugins bring."""
    from musterroll.registry.registry import Registry  # noqa: PLC0415 -- `--help` does without the engine

    found = dict.fromkeys(entry.name for entry in Registry.load().listing() if entry.name)
    return [name for name in found if name.startswith(incomplete)]
