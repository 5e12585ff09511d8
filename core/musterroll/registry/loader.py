"""Where plugins come from: entry points of installed distributions, and files that a pipeline names.

`importlib.metadata.entry_points()` stops at the first damaged distribution; here every distribution and every
entry point is looked at on its own, so that a broken one can be named and skipped.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.abc import SourceLoader
from pathlib import Path
from types import ModuleType
from typing import NoReturn

GROUP = "musterroll"
"""The entry-point group of plugins that are asked what they bring at every start."""
LATE_GROUP = f"{GROUP}."
"""How the groups begin whose entry points say what they bring (`musterroll.readers`), and are imported when used."""
HOME = "musterroll"
"""The distribution of the built-in plugins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A plugin module and where it is from.

    Attributes:
        name: the entry point's name, or a local file's stem.
        distribution: the installed distribution; None for a local file.
        version: the distribution's version.
        module: what is imported; None for a local file.
        path: the local file; None for an installed plugin.
        sha256: of the local file's content, in hexadecimal; None where it could not be read.
    """

    name: str
    distribution: str | None = None
    version: str | None = None
    module: str | None = None
    path: Path | None = None
    sha256: str | None = None

    def __str__(self) -> str:
        if self.path is not None:
            return f'"{self.name}" (the file {self.path})'
        return f'"{self.name}" ({self.distribution} {self.version})'

    @property
    def short(self) -> str:
        """As messages name it beside an instance: `acme 1.0`, or the name of a local file."""
        return self.path.name if self.path is not None else f"{self.distribution} {self.version}"

    def is_called(self, name: str) -> bool:
        """Whether a person who says `name` means this plugin, or the distribution that it is from."""
        return name == self.name or self.is_of(name)

    def is_of(self, distribution: str) -> bool:
        """Whether it is from that distribution, however its name is written."""
        return self.distribution is not None and normalised(distribution) == normalised(self.distribution)


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin that was found, not imported yet.

    Attributes:
        plugin: the plugin.
        load: imports it and may raise anything.
        group: what follows `musterroll.` in the name of the group, where it says what the plugin brings: readers, ….
    """

    plugin: Plugin
    load: Callable[[], object]
    group: str | None = None


class DamagedPluginError(Exception):
    """There is nothing to import; the text says why."""


def normalised(distribution: str) -> str:
    """The name of a distribution as package indexes compare it: `Acme_Plugins` is `acme-plugins`."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def identity(path: Path) -> Path:
    """The same path for every spelling of it; what cannot be a path is left to whoever opens it."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # a circle of links, a null character
        return path


def reason(error: BaseException, path: Path | None = None) -> str:
    """Says in one line why a plugin could not be loaded.

    Args:
        error: what was raised.
        path: the plugin's file, where it is a local one.
    """
    if isinstance(error, DamagedPluginError):
        return str(error)
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return f"line {error.lineno} is not Python: {error.msg}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        if path is not None and any((path.parent / f"{error.name}{end}").exists() for end in ("", ".py")):
            return (
                f'it needs "{error.name}" beside it, and a plugin file cannot import its neighbours;'
                " make a package of them (musterroll plugins new … --package)"
            )
        return f'it needs the module "{error.name}", which is not installed'
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def entry_points() -> Iterator[Found]:
    """Finds the plugins of installed distributions, sorted by distribution and name.

    A distribution whose metadata is damaged comes as one plugin whose `load` raises.
    """
    found: dict[str, list[Found]] = {}
    for distribution in importlib.metadata.distributions():
        try:
            text = distribution.read_text("entry_points.txt") or ""
        except (OSError, UnicodeDecodeError):
            continue  # nobody can say that it is a plugin
        if f"[{GROUP}]" not in text and f"[{LATE_GROUP}" not in text:
            continue
        name, version = _identity(distribution)
        if name is None or version is None:
            place = str(distribution.locate_file(""))
            found[place] = [_damaged(Plugin(name="?", distribution=place, version="?"), "its metadata is damaged")]
        elif normalised(name) not in found:  # the first one on the path is the one that Python imports
            found[normalised(name)] = list(_of(distribution, name, version))
    for name in sorted(found):
        yield from found[name]


def _identity(distribution: importlib.metadata.Distribution) -> tuple[str | None, str | None]:
    """The name and version; None where the metadata is damaged, which Python's versions show in different ways."""
    try:
        return distribution.name, distribution.version
    except Exception:  # whatever damaged metadata leads to
        return None, None


def _of(distribution: importlib.metadata.Distribution, name: str, version: str) -> Iterator[Found]:
    try:
        ours = (p for p in distribution.entry_points if p.group == GROUP or p.group.startswith(LATE_GROUP))
        points = sorted(ours, key=lambda p: (p.name, p.group, p.value))
    except Exception as error:  # whatever damaged metadata leads to
        text = f"its entry points are damaged: {reason(error)}"
        yield _damaged(Plugin(name=name, distribution=name, version=version), text)
        return
    for point in points:
        module = point.value.partition(":")[0].strip()
        group = point.group.removeprefix(LATE_GROUP) if point.group != GROUP else None
        yield Found(Plugin(name=point.name, distribution=name, version=version, module=module), point.load, group)


def _damaged(plugin: Plugin, text: str) -> Found:
    def load() -> NoReturn:
        raise DamagedPluginError(text)

    return Found(plugin, load)


def local_file(path: Path) -> Found:
    """Makes the plugin of a local file. Its content is read once: what is hashed is what runs."""
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        text = "the file does not exist" if isinstance(error, FileNotFoundError) else reason(error)
        return _damaged(Plugin(name=path.stem, path=path), text)
    plugin = Plugin(name=path.stem, path=path, sha256=hashlib.sha256(content).hexdigest())
    return Found(plugin, lambda: _execute(path, content))


def _execute(path: Path, content: bytes) -> ModuleType:
    # The path's hash keeps two files of one name apart. The module is in sys.modules before it runs, because
    # dataclasses, pydantic and typing look their module up there.
    place = os.path.normcase(identity(path))
    name = f"musterroll_local_{hashlib.sha256(place.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"
    loader = _ContentLoader(path, content)
    spec = importlib.util.spec_from_loader(name, loader, origin=str(path))
    assert spec is not None
    spec.has_location = True
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


class _ContentLoader(SourceLoader):
    """Runs bytes that were read already, and leaves no `__pycache__` beside a person's pipeline."""

    def __init__(self, path: Path, content: bytes) -> None:
        self._path, self._content = path, content

    def get_filename(self, fullname: str) -> str:
        return str(self._path)

    def get_data(self, path: str | bytes) -> bytes:
        return self._content

    def path_stats(self, path: str | bytes) -> NoReturn:
        raise OSError  # the documented way to say that nothing is cached
