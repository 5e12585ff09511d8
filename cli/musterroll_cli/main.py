"""Runs a command line: one line (or one JSON document) for whatever goes wrong."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any, Protocol, runtime_checkable

import typer

from musterroll_cli.commands import COMMANDS, meant
from musterroll_cli.interruption import handling
from musterroll_cli.output.console import OutputError, Stream, Styled, end_output, prepare_output, show_mistakes
from musterroll_cli.output.escape import shorten
from musterroll_cli.program import EXIT_STATUS, PROGRAM, make_program

_USUAL = {"--fix": "safe"}
_NO_COMMAND = re.compile(r"No such command '(.+)'\.")
# Newer versions of typer let the wording of their own checks through.
_WORDING = (
    (": Value error, ", ": "),
    (": Input should be a valid integer.*", ": should be a whole number"),
    (": Input should be greater than or equal to ", ": must be at least "),
    (": Input should be less than or equal to ", ": must be at most "),
)


@runtime_checkable
class _UsageMistake(Protocol):
    """What typer raises for a wrong command line. Its own name for it moved between typer's versions."""

    exit_code: int
    ctx: Any

    def format_message(self) -> str: ...


def main(arguments: Sequence[str] | None = None, *, interrupted: bool = False) -> int:
    """Runs a command line and returns its exit status.

    Args:
        arguments: the words after the program's name; by default those it was called with.
        interrupted: Ctrl-C was pressed already.
    """
    if "_MUSTERROLL_COMPLETE" in os.environ:  # a shell asks what could come next; the name is typer's
        return int(import_module("musterroll_cli.commands.completion").answer(make_program()))
    words = _with_values(sys.argv[1:] if arguments is None else arguments)
    as_json = asks_for_json(words)
    prepare_output(as_json=as_json)
    status = _run(words, as_json=as_json, interrupted=interrupted)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        return status or end_output(error)
    return status


def _with_values(words: Sequence[str]) -> list[str]:
    """The words, with the value of an option that need not have one: else it would take the next word for it."""
    end = list(words).index("--") if "--" in words else len(words)
    return [f"{word}={_USUAL[word]}" if word in _USUAL and n < end else word for n, word in enumerate(words)]


def _run(words: list[str], *, as_json: bool, interrupted: bool) -> int:
    try:
        if interrupted:
            raise KeyboardInterrupt
        program = make_program()
        # Not `program.main`, which makes a silent exit of Ctrl-C.
        with program.make_context(PROGRAM, words) as context:
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
    from musterroll.engine import documents  # noqa: PLC0415 -- `--help` does without the engine
    from musterroll.errors import MusterrollError, PipelineError  # noqa: PLC0415

    if isinstance(error, PipelineError) and not as_json:
        show_mistakes(Stream(sys.stderr, vital=False), error.mistakes)
        return EXIT_STATUS["error"]
    if isinstance(error, MusterrollError):
        status = documents.outcome_of(error)
        return _fail(words, as_json=as_json, status=status, code=error.code, message=error.message)
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
    path = getattr(mistake.ctx, "command_path", PROGRAM)
    message = " ".join(mistake.format_message().split())
    for found, text in _WORDING:
        message = re.sub(found, text, message)
    if path == PROGRAM and (word := _NO_COMMAND.fullmatch(message)) and (names := meant(word[1])):
        message = f"{word[0]} Did you mean {' or '.join(map(repr, names))}?"
    if message.endswith(" requires an argument."):
        message = _what_to_write(mistake) or message
    command = path.removeprefix(PROGRAM).strip() or None
    return _fail(words, as_json=as_json, code="usage", message=message, command=command, hint=f"Try `{path} --help`.")


def _what_to_write(mistake: _UsageMistake) -> str | None:
    """What an option takes that was given nothing; None where it is not known."""
    name = getattr(mistake, "option_name", None)
    command = getattr(mistake.ctx, "command", None)
    for option in getattr(command, "params", ()):
        if name in option.opts:
            meaning = str(option.help or "")
            return f"{name} needs something after it: {name} {option.metavar or 'VALUE'}. {meaning}".strip()
    return None


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
        with handling(lambda _number, _frame: None):  # that it was interrupted is being said already
            from musterroll.engine import MEMBERS, Document  # noqa: PLC0415 -- `--help` does without the engine
            from musterroll.errors import MusterrollError  # noqa: PLC0415 -- likewise

        name = command or _command_in(words)
        document = Document(Stream(sys.stdout).write, name, MEMBERS.get(name or "", {}))
        document.finish(status, MusterrollError(message, code=code))
    else:
        err = Stream(sys.stderr, vital=False)
        for line in message.splitlines():
            err.line(Styled("error: ", "bold red"), line)
        if hint:
            err.line(hint)
    return EXIT_STATUS[status]


def _command_in(words: list[str]) -> str | None:
    return next((name for name in COMMANDS if words[: len(name.split())] == name.split()), None)
