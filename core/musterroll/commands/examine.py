"""What `pipeline check` and `doctor` look at besides the pipeline file itself. Nothing is written or sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from musterroll.contract.roles import Examinable
from musterroll.contract.secret import MASK, Secret
from musterroll.contract.translation import counted, gettext
from musterroll.errors import Mistake, MusterrollError, PipelineError, PluginError
from musterroll.journal.glance import glance
from musterroll.pipeline.masks import secrets_in
from musterroll.pipeline.pipeline import Instance, Pipeline

_MOST_REMARKS = 100
_SHORTEST = 4  # characters; what is shorter would be found in every second word


class Finding(StrEnum):
    """How something is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing that was looked at.

    Attributes:
        name: what, e.g. `backend` or `notifiers[mail]`.
        status: how it is.
        detail: what there is, or what is wrong and what to do, in one line.
    """

    name: str
    status: Finding
    detail: str


def surroundings_of(pipeline: Pipeline) -> Iterator[Mistake]:
    """Yields what is wrong around a pipeline file that has no mistakes itself.

    That are secrets that are missing, and files that transforms, rules, group resolvers and notifiers need. Nobody is
    asked for anything over the network.
    """
    origin = _label(pipeline)
    if pipeline.profile is not None:
        origin += f", profile {pipeline.profile}"
    missing = list(_missing_secrets(pipeline))
    incomplete = {owner for owner, _, _ in missing}
    for _, path, message in missing:
        yield Mistake(path, message, origin)
    for instance in (*_asked(pipeline), *pipeline.rules, *pipeline.notifiers):
        if instance.label in incomplete:
            continue
        try:
            _close(pipeline.build_to_look(instance))
        except PipelineError as error:
            yield from error.mistakes
        except MusterrollError as error:
            yield Mistake(instance.label, _discreet(pipeline, error.message), origin)


class Checked(NamedTuple):
    """What became of a check.

    Attributes:
        pipeline: the chosen one; None where it has mistakes.
        mistakes: of every profile.
        warnings: likewise.
        remarks: what the chosen one comes to, by the options of its plugins; nothing that is wrong.
    """

    pipeline: Pipeline | None
    mistakes: tuple[Mistake, ...]
    warnings: tuple[Mistake, ...]
    remarks: tuple[str, ...] = ()

    def members(self) -> dict[str, Any]:
        """Its members of the JSON document."""
        mistakes, warnings = map(_record, self.mistakes), map(_record, self.warnings)
        return {"valid": not self.mistakes, "mistakes": mistakes, "warnings": warnings, "remarks": self.remarks}


def _record(mistake: Mistake) -> dict[str, Any]:
    return {"path": mistake.path, "message": mistake.message, "origin": mistake.origin, "line": mistake.line}


def check(load: Callable[[str | None], Pipeline], chosen: str | None, profiles: Iterable[str]) -> Checked:
    """Checks a pipeline as it was chosen, and with every other profile.

    What is missing around it is a mistake for the chosen one only: another profile may be for another machine.

    Args:
        load: loads the pipeline with a profile.
        chosen: the chosen profile; None for none.
        profiles: all of them.

    Raises:
        PipelineError: the file cannot be read at all.
    """
    found: Pipeline | None = None
    mistakes: list[Mistake] = []
    warnings: list[Mistake] = []
    for profile in dict.fromkeys((chosen, *profiles)):
        try:
            pipeline = load(profile)
        except PipelineError as error:
            if error.code != PipelineError.code:
                raise
            mistakes += error.mistakes
            continue
        warnings += pipeline.warnings
        if profile == chosen:
            found = pipeline
        (mistakes if profile == chosen else warnings).extend(surroundings_of(pipeline))
    said = {(one.path, one.message) for one in mistakes}
    others = (one for one in warnings if (one.path, one.message) not in said)
    remarks = () if found is None else tuple(_remarks(found))
    return Checked(found, tuple(dict.fromkeys(mistakes)), tuple(dict.fromkeys(others)), remarks)


def _remarks(pipeline: Pipeline) -> Iterator[str]:
    used = (*_asked(pipeline), *pipeline.rules, pipeline.backend, *pipeline.notifiers)
    for instance in used:
        for text in islice(instance.options.remarks(), _MOST_REMARKS):
            yield f"{instance.label}: {_discreet(pipeline, text)}"


def examine(pipeline: Pipeline) -> Iterator[Examined]:
    """Looks at everything that a run needs, and asks portal and mail server who they are."""
    profile = (
        gettext("profile {profile}", profile=pipeline.profile)
        if pipeline.profile is not None
        else gettext("no profile")
    )
    yield Examined("pipeline", Finding.OK, f"{_label(pipeline)}, {profile}")
    for warning in pipeline.warnings:
        yield Examined("pipeline", Finding.WARNING, str(warning))
    missing = list(_missing_secrets(pipeline))
    incomplete = {owner for owner, _, _ in missing}
    for _, path, message in missing:
        yield Examined(path, Finding.FAILED, message)
    if (count := len(list(_secrets(pipeline)))) and not missing:
        yield Examined("secrets", Finding.OK, gettext("all there ({count})", count=counted(count)))
    rules = (*_asked(pipeline), *pipeline.rules)
    looked_at = [_examined(pipeline, one) for one in rules if one.label not in incomplete]
    yield from (one for one in looked_at if one.status is Finding.FAILED)
    if all(one.status is Finding.OK for one in looked_at):
        ready = gettext(
            "readers, transforms, validators and group resolvers are ready ({count})", count=counted(len(looked_at))
        )
        yield Examined("rules", Finding.OK, ready)
    for one in (pipeline.backend, *pipeline.notifiers):
        if one.label not in incomplete:  # it could only say once more what is missing
            yield _examined(pipeline, one)
    yield _state(pipeline)


def _asked(pipeline: Pipeline) -> Iterator[Instance]:
    return (one for one in pipeline.readers if one.is_asked)


def _label(pipeline: Pipeline) -> str:
    if pipeline.file is None:
        return gettext("standard (built in)")
    with suppress(ValueError):
        return str(pipeline.file.relative_to(Path.cwd()))
    return str(pipeline.file)


def _examined(pipeline: Pipeline, instance: Instance) -> Examined:
    built: object = None
    try:
        built = pipeline.build_to_look(instance)
        if isinstance(built, Examinable):
            detail = _guarded(instance, built.examine)
        elif instance is pipeline.backend:
            detail = _guarded(instance, lambda: _who(built))
        else:
            detail = gettext("{name}: ready", name=instance.component.name)
        return Examined(instance.label, Finding.OK, _discreet(pipeline, detail))
    except PipelineError as error:
        said = (f"{one.path.removeprefix(f'{instance.label}.')}: {one.message}" for one in error.mistakes)
        text = "; ".join(one.removeprefix(": ") for one in said)
        return Examined(instance.label, Finding.FAILED, _discreet(pipeline, text))
    except MusterrollError as error:
        return Examined(instance.label, Finding.FAILED, _discreet(pipeline, error.message))
    finally:
        _close(built)


def _guarded(instance: Instance, ask: Callable[[], object]) -> str:
    try:
        return " ".join(str(ask()).split())
    except MusterrollError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(plugin=instance.label, stage="being examined", cause=error) from error


def _who(backend: object) -> str:
    """Of a backend that cannot be examined: whatever any backend can say."""
    users = backend.count_users()  # type: ignore[attr-defined]
    known = gettext(", {count} users", count=counted(users)) if isinstance(users, int) else ""
    return f"{backend.identity()}{known}"  # type: ignore[attr-defined]


def _close(built: object) -> None:
    with suppress(Exception):  # nothing was done with it
        getattr(built, "close", lambda: None)()


def _state(pipeline: Pipeline) -> Examined:
    seen = glance(pipeline.state, pipeline.name)
    if seen.fault is not None:
        return Examined("state", Finding.FAILED, seen.fault)
    if not _can_be_written(pipeline.state):
        told = gettext("the folder {folder} cannot be written to; see who owns it", folder=pipeline.state)
        return Examined("state", Finding.FAILED, told)
    if seen.version is None:
        told = gettext("{folder}: no job yet; it is made by the first one", folder=pipeline.state)
        return Examined("state", Finding.OK, told)
    there = {"path": seen.path, "version": seen.version}
    if seen.is_locked:
        told = gettext("{path}, version {version}; another musterroll is working on it now", **there)
        return Examined("state", Finding.WARNING, told)
    return Examined("state", Finding.OK, gettext("{path}, version {version}, nobody is working on it", **there))


def _can_be_written(folder: Path) -> bool:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK)


def _secrets(pipeline: Pipeline) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Yields the owner and the path of every secret that the pipeline needs, and what fetches it."""
    for field in pipeline.fields.values():
        if isinstance(field.default, Secret):
            yield "sheet", f"sheet.defaults.{field.name}", field.default.reveal
    seen: set[int] = set()
    for instance in (*pipeline.readers, *pipeline.rules, pipeline.backend, *pipeline.notifiers):
        for path, ref in secrets_in(instance.options):
            if id(ref) not in seen:  # an option with an alias has two names
                seen.add(id(ref))
                options = "" if instance.label.startswith("readers.") else ".options"
                where = ".".join((f"{instance.label}{options}", *map(str, path)))
                yield instance.label, where, lambda ref=ref: ref.resolve().reveal()  # type: ignore[misc]


def _missing_secrets(pipeline: Pipeline) -> Iterator[tuple[str, str, str]]:
    """Yields the owner and the path of every secret that is not there, and what is wrong."""
    for owner, path, fetch in _secrets(pipeline):
        try:
            fetch()
        except PipelineError as error:
            yield owner, path, error.mistakes[0].message


def _discreet(pipeline: Pipeline, text: str) -> str:
    """Masks the pipeline's own secrets, which a portal or a library may have repeated."""
    for _, _, fetch in _secrets(pipeline):
        with suppress(PipelineError):
            secret = fetch()
            if len(secret) >= _SHORTEST:
                text = text.replace(secret, MASK)
    return text
