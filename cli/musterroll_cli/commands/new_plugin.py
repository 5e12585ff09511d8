"""A plugin to begin with: `plugins new`."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, cast

import typer

from musterroll import engine
from musterroll.errors import UsageError
from musterroll_cli.new_files import write_new
from musterroll_cli.output.text.words import quoted
from musterroll_cli.session import Session

PluginKind: TypeAlias = Literal["reader", "transform", "validator", "group-resolver", "user-backend", "notifier"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MODULE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_USES = {
    "reader": '[reader]\nuse = "example-thing"',
    "transform": '[[transforms]]\nname = "example-thing"\nuse = "example-thing"\noptions = { letter = "A" }',
    "validator": '[[validators]]\nname = "example-thing"\nuse = "example-thing"\noptions = { letter = "A" }',
    "group-resolver": '[[groups]]\nname = "example-thing"\nuse = "example-thing"\noptions = { parent = "Departments" }',
    "user-backend": '[backend]\nuse = "example-thing"\noptions = { path = "users.json" }',
    "notifier": '[[notifiers]]\nname = "example-thing"\nuse = "example-thing"\noptions = { path = "messages.jsonl" }',
}


def new_plugin(
    session: Session,
    kind: Annotated[
        PluginKind,
        typer.Argument(
            metavar="KIND",
            show_default=False,
            help="reader, transform, validator, group-resolver, user-backend or notifier.",
        ),
    ],
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            show_default=False,
            help="What `use` in a pipeline file will say, best with your own name in front: acme-badge.",
        ),
    ],
    package: Annotated[
        Path | None,
        typer.Option(
            "--package",
            metavar="DIR",
            show_default=False,
            help="Makes a package of it, in this folder, that can be installed.",
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            metavar="PATH",
            show_default=False,
            help="Makes one file of it, which a pipeline names; by default NAME.py in the current folder.",
        ),
    ] = None,
) -> int:
    """Writes a plugin to begin with: a file, or a whole package, with its tests.

    It works as it is, passes its tests, the contract of its role among them, and is typed. It writes over nothing.
    """
    if package is not None and file is not None:
        raise UsageError("--package and --file are two ways; choose one")
    _refuse_name(session, kind, name)
    if package is not None:
        written = package_files(kind, name, package)
    else:
        written = local_files(kind, name, Path(f"{name.replace('-', '_')}.py") if file is None else file)
    write_new(written)
    if session.as_json:
        return session.finish({"created": [str(path) for path in written]})
    for path in written:
        session.out.line(str(path))
    session.out.gap()
    session.out.line("Next:")
    if package is not None:
        session.out.line(f"  cd {quoted(str(package))}")
        session.out.line('  python -m pip install -e ".[dev]"')
        session.out.line("  python -m pytest")
    else:
        plugin, test = written
        session.out.line(f"  python -m pytest {quoted(str(test))}")
        session.out.line(f'  and, in the pipeline file: plugins = ["{plugin.as_posix()}"]')
    return session.finish()


def local_files(kind: PluginKind, name: str, path: Path) -> dict[Path, str]:
    """The files of a local plugin: itself and its tests, by path.

    Raises:
        UsageError: the file cannot be called so.
    """
    module = path.stem
    if path.suffix != ".py" or not _MODULE.fullmatch(module) or keyword.iskeyword(module):
        raise UsageError(f"{path}: its tests import it, so name it by letters, digits and _, and .py: acme_badge.py")
    if module in sys.stdlib_module_names:
        raise UsageError(f"{path}: Python has a module {module} itself; call the file otherwise")
    return {
        path: _filled(f"{kind}.py.txt", name, module),
        path.with_name(f"test_{module}.py"): _filled(f"{kind}-test.py.txt", name, module),
    }


def package_files(kind: PluginKind, name: str, folder: Path) -> dict[Path, str]:
    """The files of a package, by path."""
    package = f"musterroll_{name.replace('-', '_')}"
    module = f"{package}.plugin"
    plugin, source = _filled(f"{kind}.py.txt", name, module), folder / "src" / package
    summary = plugin.partition('"""')[2].partition('"""')[0].partition("\n")[0]
    more = {"EXAMPLE-SUMMARY": summary.replace('"', "'").replace("`", ""), "KIND": kind.replace("-", " ")}
    return {
        folder / "pyproject.toml": _filled("pyproject.toml.txt", name, module, more),
        folder / "README.md": _filled("README.md.txt", name, module, {"EXAMPLE-USE": _USES[kind], **more}),
        source / "__init__.py": f'"""{summary}"""\n',
        source / "plugin.py": plugin,
        source / "py.typed": "",
        folder / "tests" / f"test_{package}.py": _filled(f"{kind}-test.py.txt", name, module),
    }


def _filled(template: str, name: str, module: str, more: dict[str, str] | None = None) -> str:
    """A template, with the names of what it is to become."""
    text = (files("musterroll_cli.scaffold") / template).read_text(encoding="utf-8")
    subject, _, rest = name.replace("-", "_").partition("_")
    names = {
        **(more or {}),
        "example-distribution": f"musterroll-{name}",
        "example_package": module.partition(".")[0],
        "example_module": module,
        "example-thing": name,
        "example_thing": name.replace("-", "_"),
        "ExampleThing": "".join(part.title() for part in name.split("-")),
        "example.thing": f"{subject}.{rest or 'rule'}",
    }
    for placeholder, written in names.items():
        text = text.replace(placeholder, written)
    return text


def _refuse_name(session: Session, kind: PluginKind, name: str) -> None:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UsageError(f'"{name}" cannot be the name of a plugin; take small letters, digits and hyphens: acme-badge')
    its_kind = cast("engine.Kind", kind.replace("-", "_"))
    if any(provider.component.name == name for provider in session.registry().components(its_kind)):
        raise UsageError(f'there is a {kind} "{name}" already; put your own name in front: acme-{name}')
