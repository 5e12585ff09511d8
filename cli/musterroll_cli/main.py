"""The program. It loads neither the engine nor a plugin before a command is at work."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, Protocol, runtime_checkable

import typer
from typer.main import get_command

from musterroll_cli import completion, doctor, init, invites, jobs, pipelines, plugins, templates, verbs
from musterroll_cli.console import OutputError, Stream, Styled, end_output, prepare_output
from musterroll_cli.escape import shorten
from musterroll_cli.extras import GroupWithExtras
from musterroll_cli.json_document import MEMBERS, Document

_PROGRAM = "musterroll"
_EXIT_STATUS = {"error": 2, "refused": 3, "interrupted": 130}  # of what needs no report

app = typer.Typer(
    name=_PROGRAM,
    cls=GroupWithExtras,
    help="Imports users in bulk from spreadsheets into a portal: validated, planned, resumable.",
    epilog="Plugins may bring more commands: `musterroll plugins list` names them.\n\n"
    "\b\nExample:\n  musterroll validate staff.xlsx",
    add_completion=False,
    rich_markup_mode=None,  # plain help: rich alone would take longer than everything else
    pretty_exceptions_enable=False,  # they print local variables
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 10_000},
)
verbs.add_to(app)
templates.add_to(app)
init.add_to(app)
doctor.add_to(app)
completion.add_to(app)
app.add_typer(jobs.app, name="jobs")
app.add_typer(invites.app, name="invites")
app.add_typer(plugins.app, name="plugins")
app.add_typer(pipelines.app, name="pipeline")


@runtime_checkable
class _UsageMistake(Protocol):
    """What typer raises for a wrong command line. Its own name for it moved between typer's versions."""

    exit_code: int
    ctx: Any

    def format_message(self) -> str: ...


def _print_version(wanted: bool) -> None:
    if wanted:
        from musterroll import __version__  # noqa: PLC0415 -- `--help` does without the engine

        Stream(sys.stdout).line(f"{_PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", show_default=False, is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None, *, interrupted: bool = False) -> int:
    """Runs a command line and returns its exit status.

    Args:
        arguments: the words after the program's name; by default those it was called with.
        interrupted: Ctrl-C was pressed already.
    """
    if completion.is_completing():
        return completion.answer(get_command(app))
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = asks_for_json(words)
    prepare_output(as_json=as_json)
    status = _run(words, as_json=as_json, interrupted=interrupted)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        return status or end_output(error)
    return status


def _run(words: list[str], *, as_json: bool, interrupted: bool) -> int:
    try:
        if interrupted:
            raise KeyboardInterrupt
        program = get_command(app)
        # Not `program.main`, which makes a silent exit of Ctrl-C.
        with program.make_context(_PROGRAM, words) as context:
            result = program.invoke(context)
    except typer.Exit as ended:
        return ended.exit_code
    except SystemExit:
        raise
    except OutputError as error:
        return end_output(error.cause)
    except BrokenPipeError as error:  # of the help
        return end_output(error)
    except KeyboardInterrupt:
        return _fail(words, as_json=as_json, status="interrupted", code="interrupted", message="interrupted")
    except Exception as error:
        if isinstance(error, _UsageMistake):
            return _fail_usage(words, error, as_json=as_json)
        return _fail_otherwise(words, error, as_json=as_json)
    return result if isinstance(result, int) else 0


def _fail_otherwise(words: list[str], error: Exception, *, as_json: bool) -> int:
    """Tells of what no session caught: a failure of a plugin's command, or of finding it."""
    from musterroll.errors import MusterrollError  # noqa: PLC0415 -- `--help` does without the engine
    from musterroll_cli.outcomes import outcome_of  # noqa: PLC0415

    if isinstance(error, MusterrollError):
        return _fail(words, as_json=as_json, status=outcome_of(error), code=error.code, message=error.message)
    if "--verbose" in words:
        Stream(sys.stderr, vital=False).lines(traceback.format_exc())
    reason = shorten(f"{type(error).__name__}: {' '.join(str(error).split())}", 300)
    message = f"unexpected failure: {reason}; use --verbose for the details"
    return _fail(words, as_json=as_json, code="unexpected", message=message)


def asks_for_json(words: Sequence[str]) -> bool:
    """Whether a command line asks for JSON, however wrong the rest of it is."""
    before = list(words[: words.index("--")] if "--" in words else words)
    return "--format=json" in before or ("--format", "json") in pairwise(before)


def _fail_usage(words: list[str], mistake: _UsageMistake, *, as_json: bool) -> int:
    path = getattr(mistake.ctx, "command_path", _PROGRAM)
    # Newer versions of typer let the wording of their own checks through.
    message = " ".join(mistake.format_message().split()).replace(": Value error, ", ": ")
    command = path.removeprefix(_PROGRAM).strip() or None
    return _fail(words, as_json=as_json, code="usage", message=message, command=command, hint=f"Try `{path} --help`.")


def _fail(
    words: list[str],
    *,
    as_json: bool,
    code: str,
    message: str,
    command: str | None = None,
    hint: str = "",
    status: str = "error",
) -> int:
    if as_json:
        names = {"name": None, "profile": None}
        document = Document(Stream(sys.stdout).write, command or _command_in(words), names)
        document.finish(status, {"code": code, "message": message})
    else:
        err = Stream(sys.stderr, vital=False)
        for line in message.splitlines():
            err.line(Styled("error: ", "bold red"), line)
        if hint:
            err.line(hint)
    return _EXIT_STATUS[status]


def _command_in(words: list[str]) -> str | None:
    return next((name for name in MEMBERS if words[: len(name.split())] == name.split()), None)
