"""What `build` makes is looked at once: is it what the role needs?"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import PurePath
from types import CodeType, FunctionType
from typing import Any

from musterroll.contract.decorators import FunctionRule
from musterroll.contract.text import did_you_mean
from musterroll.registry.guards.guard import a
from musterroll.registry.plugin_errors import AnswerError

Role = tuple[str, tuple[str, ...]]
READER: Role = ("a reader", ("sniff(source)", "open(source, worksheet)"))
WRITER: Role = ("a writer", ("write(draft, target)",))
EDITOR: Role = ("an editor", ("edit(source, edits, target)",))
TRANSFORM: Role = ("a transform", ("apply(row)",))
VALIDATOR: Role = ("a validator", ("check(row)",))
RESOLVER: Role = ("a group resolver", ("resolve(row)",))
BACKEND: Role = (
    "a user backend",
    (
        "identity()",
        "capabilities()",
        "count_users()",
        "lookup(keys)",
        "groups()",
        "canonical(desired)",
        "execute(ops)",
        "resolve(doubtful)",
        "close()",
    ),
)
NOTIFIER: Role = ("a notifier", ("can_reach(user)", "send(messages)", "close()"))
_RULES = (VALIDATOR, RESOLVER)
_BESIDES = {VALIDATOR[0]: ("finish", "suspects", "guidance"), RESOLVER[0]: ("resolve_batch",)}


def look_at_built(made: object, role: Role) -> None:
    """Looks at what a plugin's `build` has made.

    Raises:
        AnswerError: it cannot play the role.
    """
    what, methods = role
    wanted = {method.partition("(")[0]: method for method in methods}
    if made is None or isinstance(made, type):
        raise AnswerError(f"build must return {what}, which has {_listed(methods)}; it returned {a(made)}")
    missing = [name for name in wanted if not callable(getattr(made, name, None))]
    if missing:
        has = [name for name in dir(type(made)) if not name.startswith("_")]
        near = did_you_mean(missing[0], has) if len(missing) == 1 else ""
        lacks = _listed([wanted[name] for name in missing])
        raise AnswerError(f"build must return {what}; {a(made)} has no {lacks}{near}")
    if role is NOTIFIER and not hasattr(made, "channel"):
        raise AnswerError(f'build must return {what}; {a(made)} has no channel: what it sends by, e.g. "email"')
    for name in (*wanted, *_BESIDES.get(what, ())):
        method = getattr(made, name, None)
        if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
            raise AnswerError(f"{name}() is asynchronous, and nobody awaits it; write it without async")
    if role in _RULES:
        for code in _codes(made, wanted):
            if (line := _drops_problem(code)) is not None:
                place = f"line {line} of {PurePath(code.co_filename).name}"
                raise AnswerError(f"{place} makes a problem and drops it; write: yield row.problem(…)")


def _listed(methods: tuple[str, ...] | list[str]) -> str:
    return ", ".join(methods[:-1]) + (" and " if methods[1:] else "") + methods[-1]


def _codes(made: object, methods: dict[str, str]) -> Iterator[CodeType]:
    """The code of the plugin's own functions: those of its class, and methods that are attributes of the instance."""
    for base in type(made).__mro__:
        for function in vars(base).values():
            if isinstance(function, FunctionType):
                yield function.__code__
    if isinstance(made, FunctionRule) and isinstance(made.function, FunctionType):
        yield made.function.__code__
    for name in methods:
        if isinstance(function := vars(made).get(name) if hasattr(made, "__dict__") else None, FunctionType):
            yield function.__code__


@lru_cache(maxsize=1024)
def _drops_problem(code: CodeType) -> int | None:
    """The line where the result of `….problem(…)` or `Problem(…)` is thrown away; None where that is nowhere.

    The person who forgets the `yield` gets a rule that never finds anything, and nothing else would tell.
    """
    if not {"problem", "Problem"} & set(code.co_names):
        return None
    made: set[tuple[int | None, int | None]] = set()  # where calls begin that make a problem
    called: dis.Instruction | None = None
    for one in dis.get_instructions(code):
        if one.argval in ("problem", "Problem") and one.opname.startswith("LOAD_"):
            made.add(_beginning(one))
        if one.opname == "POP_TOP" and called is not None and _beginning(called) in made:
            return called.positions.lineno if called.positions else None
        called = one if one.opname.startswith("CALL") else None
    return None


def _beginning(one: dis.Instruction) -> tuple[int | None, int | None]:
    return (one.positions.lineno, one.positions.col_offset) if one.positions else (None, None)


def returns_what_it_finds(method: Callable[..., Any]) -> bool:
    """Whether nobody would miss what a method returns: it is a plain generator function that returns nothing.

    Of any other, what it returns has to be looked at on every call.
    """
    function = inspect.unwrap(getattr(method, "__func__", method))
    if not inspect.isgeneratorfunction(method) or not isinstance(function, FunctionType):
        return False
    return not _returns_a_value(function.__code__)


@lru_cache(maxsize=1024)
def _returns_a_value(code: CodeType) -> bool:
    before: dis.Instruction | None = None
    for one in dis.get_instructions(code):
        if one.opname == "RETURN_VALUE" and not (before and before.opname == "LOAD_CONST" and before.argval is None):
            return True
        before = one
    return False
