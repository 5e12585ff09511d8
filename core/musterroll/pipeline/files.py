"""Reads pipeline files and what they extend."""

from __future__ import annotations

import codecs
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from musterroll.contract.text import did_you_mean
from musterroll.contract.translation import languages
from musterroll.errors import Mistake, PipelineError
from musterroll.pipeline.origins import Place
from musterroll.pipeline.written_file import Written, excerpt
from musterroll.registry.loader import identity

STANDARD = "standard"
DEFAULT_FILE = "musterroll.toml"
_MOST_BYTES = 10_000_000  # what is larger is a sheet, or a device without end


@dataclass(frozen=True, slots=True)
class PipelineFile:
    """One file of the chain.

    Attributes:
        place: the file.
        settings: what it says, without what is below.
        profiles: its `[profiles.NAME]` tables.
    """

    place: Place
    settings: dict[str, Any]
    profiles: dict[str, dict[str, Any]]


def standard_text() -> str:
    """The built-in pipeline, as TOML."""
    return (files("musterroll.pipeline") / "standard.toml").read_text(encoding="utf-8")


def absolute(path: Path) -> Path:
    """Makes a path absolute, and leaves links and `..` to the operating system."""
    return expanded(path).absolute()


def expanded(path: Path) -> Path:
    """Puts the home folder in for `~`."""
    try:
        return path.expanduser()
    except RuntimeError:  # there is no such user, so there will be no such file
        return path


def named_or_found(file: Path | None) -> Path | None:
    """Returns the pipeline file: the one that is named, else that of the current folder; None where there is none."""
    return Path(DEFAULT_FILE) if file is None and Path(DEFAULT_FILE).exists() else file


def pipeline_language(file: Path | None, *, profile: str | None = None, sets: Sequence[str] = ()) -> str | None:
    """Returns the language that a pipeline asks for, e.g. `de`; None where it asks for none that there is.

    Nothing else of the pipeline is looked at, and nothing in it is an error here: whoever wants to know what an error
    means may have just that one in the file.

    Args:
        file: as `load_pipeline` takes it; there need not be one.
        profile: the profile.
        sets: `KEY=VALUE` texts.
    """
    try:
        chain = read_chain(named_or_found(file), Path.cwd())
    except PipelineError:
        chain = ()
    said: list[Any] = [document.settings.get("language") for document in chain]
    said += [document.profiles.get(profile or "", {}).get("language") for document in chain]
    said += [value for key, _, value in (text.partition("=") for text in sets) if key.strip() == "language"]
    known = [one for one in said if one in languages()]
    return known[-1] if known else None


def read_chain(file: Path | None, folder: Path) -> tuple[PipelineFile, ...]:
    """Reads a pipeline file and everything it extends, the lowest layer first.

    Args:
        file: the pipeline file; None for the built-in one alone.
        folder: what the paths of the built-in pipeline refer to.

    Raises:
        PipelineError: a file is missing, unreadable or no TOML, or files extend one another in a circle.
    """
    chain: list[PipelineFile] = []
    label, path, seen = str(file), file and absolute(file), list[Path]()
    while path is not None:
        if identity(path) in seen:
            raise _error("the files extend one another in a circle", chain[-1].place.label, "extends")
        seen.append(identity(path))
        written = _read(path, label, extended_by=chain[-1].place.label if chain else None)
        data, place = dict(written.data), Place(label, path.parent, written=written)
        extends = data.pop("extends", STANDARD)
        chain.append(PipelineFile(place, data, _profiles(data.pop("profiles", {}), label)))
        if extends is False:
            return tuple(reversed(chain))
        if not isinstance(extends, str) or not extends:
            raise _error("should be the path of a file, or false to extend nothing", label, "extends")
        if extends == STANDARD:
            break
        base = expanded(Path(extends))
        label, path = os.path.normpath(Path(label).parent / base), absolute(path.parent / base)
    data = tomllib.loads(standard_text())
    chain.append(PipelineFile(Place(STANDARD, folder), data, {}))
    return tuple(reversed(chain))


def _read(path: Path, label: str, extended_by: str | None) -> Written:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        others = [name for name in _neighbours(path.parent) if name != Path(extended_by or "").name]
        near = did_you_mean(path.name, others)
        if extended_by is not None:
            text = f"the file {label} does not exist{near}"
            raise _error(text, extended_by, "extends", code="pipeline.not_found") from None
        raise _error(f"the file does not exist{near}", label, code="pipeline.not_found") from None
    except (OSError, ValueError) as error:
        if path.is_dir():
            raise _error("this is a folder; name the pipeline file in it", label) from None
        raise _error(f"cannot be read: {getattr(error, 'strerror', None) or error}", label) from None
    if len(content) > _MOST_BYTES:
        raise _error("is far too large for a pipeline file", label)
    text = _decoded(content, label)
    try:
        return Written(text, tomllib.loads(text))
    except ValueError as error:
        from musterroll.pipeline.toml_faults import fault_of  # noqa: PLC0415 -- most files are TOML

        at, what = fault_of(text, error)
        line, column = text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1
        mistake = Mistake("", f"line {line}, column {column}: {what}", label, line, excerpt(text, at))
        raise PipelineError([mistake], code="pipeline.unreadable") from None
    except RecursionError:
        raise _error("is nested too deeply", label) from None


def _decoded(content: bytes, label: str) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _error("the file is UTF-16; save it as UTF-8", label)
    if content.startswith(b"PK\x03\x04"):  # somebody has named the workbook
        raise _error("this is no text file; the pipeline file is one, in TOML, e.g. musterroll.toml", label)
    # Without a byte order mark: editors on Windows write one, and TOML itself refuses it.
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        line = before.count("\n") + 1
        shown = excerpt(before + content[error.start :].decode("cp1252", "replace"), len(before))
        mistake = Mistake("", f"line {line} is not UTF-8 text; save the file as UTF-8", label, line, shown)
        raise PipelineError([mistake], code="pipeline.unreadable") from None
    return text.replace("\r\n", "\n")


def _neighbours(folder: Path) -> Sequence[str]:
    try:
        return [entry.name for entry in folder.iterdir() if entry.suffix == ".toml"]
    except OSError:
        return ()


def _profiles(value: object, label: str) -> dict[str, dict[str, Any]]:
    if isinstance(value, dict) and all(isinstance(profile, dict) for profile in value.values()):
        return value
    raise _error("profiles are tables of their own: [profiles.NAME]", label, "profiles")


def _error(text: str, label: str, path: str = "", code: str = "pipeline.unreadable") -> PipelineError:
    return PipelineError([Mistake(path, text, label)], code=code)
