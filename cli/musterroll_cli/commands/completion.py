"""Completion in the shell: `completion` prints the script for it, and the script asks for answers."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

import typer
from typer.completion import get_completion_inspect_parameters, get_completion_script  # type: ignore[attr-defined]

from musterroll_cli.output.console import Stream
from musterroll_cli.program import PROGRAM


def completion(
    shell: Annotated[
        Literal["bash", "zsh", "fish", "powershell"],
        typer.Argument(metavar="bash|zsh|fish|powershell", show_default=False, help="The shell."),
    ],
) -> None:
    """Prints the script that makes Tab complete commands and options.

    Put it where your shell reads scripts from when it starts: ~/.bashrc, ~/.zshrc (after compinit),
    ~/.config/fish/completions/musterroll.fish, or the file that $PROFILE names in PowerShell.
    """
    script = get_completion_script(prog_name=PROGRAM, complete_var=f"_{PROGRAM.upper()}_COMPLETE", shell=shell)
    Stream(sys.stdout).write(script + "\n")


def answer(program: Any) -> int:
    """Answers the shell. Whatever is wrong, nothing is said: a person is in the middle of a line.

    Args:
        program: the whole command line, as typer made it.
    """
    get_completion_inspect_parameters()  # makes the shells known
    try:
        program.main(prog_name=PROGRAM, standalone_mode=False)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except Exception:
        return 1
    return 0
