"""Writes the tables that come from the program into the documentation: `python docs/generate.py`.

A table stands between `<!-- generated: KIND NAME -->` and `<!-- end -->`:

- of the options of a plugin (`validator email`), or of a table among them (`user_backend sql.users`):
  types and defaults from the fields of the model, meanings from their
  descriptions or the docstring's `Attributes:`;
- of a record that plugins see (`record Existing`): likewise, from the class in `musterroll`;
- of the members of an enumeration (`enum Status`);
- of the methods of a role (`role UserBackend`), from the docstrings of its protocol;
- of all commands (`all commands`), from the table of the command line and from the plugins;
- of the codes of a place (`codes rows`): what `musterroll explain` says.
"""

from __future__ import annotations

import inspect
import re
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, cast, get_args

import musterroll
from musterroll import Options
from musterroll.engine import Explanation, described, explanations
from musterroll.registry.registry import KINDS, Kind, Registry
from musterroll_cli.commands import COMMANDS

DOCS = Path(__file__).parent
_ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n {5,}.+)*)", re.MULTILINE)
_BLOCK = re.compile(r"(<!-- generated: (\w+) ([\w.-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def generated(text: str) -> str:
    """Returns a page with its tables up to date."""
    return _BLOCK.sub(lambda block: f"{block[1]}{_table(block[2], block[3])}\n{block[4]}", text)


def _table(kind: str, name: str) -> str:
    if kind == "codes":
        return codes(name)
    if kind == "all":
        return command_table()
    if kind in _OF_CLASSES:
        return _OF_CLASSES[kind](getattr(musterroll, name))
    name, *inner = name.split(".")
    model = cast("Any", _components()[cast("Kind", kind), name]).options
    return options(_inner(model, inner[0]) if inner else model)


def _inner(model: type[Options], option: str) -> type[Options]:
    """Returns the model of an option that is a table of options."""
    kind = model.model_fields[option].annotation
    kinds = (kind, *get_args(kind))
    return next(one for one in kinds if isinstance(one, type) and issubclass(one, Options))


@cache
def _components() -> dict[tuple[Kind, str], Any]:
    registry = Registry.load(external=False)
    return {(p.kind, p.component.name): p.component for kind in KINDS for p in registry.components(kind)}


def options(model: type[Options]) -> str:
    """Returns the options of a model as a table."""
    rows = [
        f"| `{option.name}` | {option.type} | {option.default} | {_cell(option.meaning)} |"
        for option in described(model, literal=_code, reference="[secret](#paths-and-secrets)")
    ]
    return "\n".join(["| option | type | default | meaning |", "|---|---|---|---|", *rows]) if rows else "No options."


def codes(place: str) -> str:
    """Returns the codes of a place as a table."""
    found = [one for one in explanations() if one.place == place]
    if place == "errors":
        head = ["| `error.code` | exit | when, and what to do |", "|---|---|---|"]
        return "\n".join([*head, *(f"| `{one.code}` | {_statuses(one)} | {_cell(one.when)} |" for one in found)])
    head = ["| code | severity | when | what to do |", "|---|---|---|---|"]
    return "\n".join([*head, *(f"| `{one.code}` | {one.severity} | {_when(one)} | {_advice(one)} |" for one in found)])


def _statuses(one: Explanation) -> str:
    return ", ".join(map(str, one.exit_statuses))


def _when(one: Explanation) -> str:
    return _cell(one.when if one.example is None else f"{one.when} (*{one.example}*)")


def _advice(one: Explanation) -> str:
    return _cell(one.advice or "")


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def command_table() -> str:
    """Returns all commands as a table, with links to where they are explained."""
    summaries = {name: command.summary for name, command in COMMANDS.items()}
    summaries |= {name: component.summary for (kind, name), component in _components().items() if kind == "command"}
    rows = (
        f"| [`musterroll {name}`](#musterroll-{name.replace(' ', '-')}) | {_cell(text.rstrip('.'))} |"
        for name, text in summaries.items()
    )
    return "\n".join(["| command | what it does |", "|---|---|", *rows])


def record_table(record: type) -> str:
    """Returns the fields of a record as a table."""
    meanings = _attributes(record)
    rows = [
        f"| `{name}` | {_code(_type_of(parameter))} | {_default_of(parameter)} | {_cell(meanings[name])} |"
        for name, parameter in inspect.signature(record).parameters.items()
    ]
    return "\n".join(["| field | type | default | meaning |", "|---|---|---|---|", *rows])


def enum_table(kind: type[Enum]) -> str:
    """Returns the members of an enumeration as a table; what each means is the comment behind it."""
    source = inspect.getsource(kind)
    meanings = dict(re.findall(r"^    (\w+) = [^#\n]+  # (.+)$", source, re.MULTILINE))
    rows = [f"| `{kind.__name__}.{one.name}` | {_cell(meanings.get(one.name, ''))} |" for one in kind]
    return "\n".join(["| member | means |", "|---|---|", *rows])


def role_table(role: type) -> str:
    """Returns the methods of a role as a table, with what they may raise."""
    rows = []
    for name, method in vars(role).items():
        function = method.fget if isinstance(method, property) else method
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        text, _, raises = inspect.cleandoc(function.__doc__ or "").partition("\n\nRaises:\n")
        words = " ".join(text.partition("\n\nArgs:")[0].split())
        arguments = [one for one in inspect.signature(function).parameters if one != "self"]
        call = name if isinstance(method, property) else f"{name}({', '.join(arguments)})"
        errors = "<br>".join(f"`{error}`: {' '.join(why.split())}" for error, why in _ATTRIBUTE.findall(raises + "\n"))
        rows.append(f"| `{call}` | {_cell(words.rstrip('.'))} | {_cell(errors)} |")
    return "\n".join(["| method | what it does | may raise |", "|---|---|---|", *rows])


def _attributes(record: type) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in reversed(record.__mro__):
        _, _, attributes = inspect.cleandoc(one.__doc__ or "").partition("Attributes:\n")
        found |= {name: " ".join(text.split()).rstrip(".") for name, text in _ATTRIBUTE.findall(attributes)}
    return found


def _type_of(parameter: inspect.Parameter) -> str:
    written = parameter.annotation
    return written if isinstance(written, str) else getattr(written, "__name__", str(written))


def _default_of(parameter: inspect.Parameter) -> str:
    default = parameter.default
    if default is parameter.empty:
        return "needed"
    if isinstance(default, Enum):
        return f"`{type(default).__name__}.{default.name}`"
    if inspect.isfunction(default):
        return _code(default.__name__)
    return "`{}`" if type(default).__name__ == "_HAS_DEFAULT_FACTORY_CLASS" else _code(repr(default))


_OF_CLASSES = {"record": record_table, "enum": enum_table, "role": role_table}


if __name__ == "__main__":
    for page in sorted(DOCS.rglob("*.md")):
        page.write_text(generated(page.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
