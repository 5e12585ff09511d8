"""Loads a pipeline: finds the files, merges the layers, checks everything, and reports all mistakes at once.

standard < extends < file < profile < --set < flags
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

from musterroll.contract.secret import Secret
from musterroll.contract.text import did_you_mean, known_names
from musterroll.contract.translation import languages
from musterroll.errors import Mistake, PipelineError
from musterroll.pipeline.assignments import SET, flags_as_sets, flags_layer, parse_key, parse_sets, sets_layer
from musterroll.pipeline.check import Check, texts
from musterroll.pipeline.fields import fields_of
from musterroll.pipeline.files import STANDARD, PipelineFile, absolute, expanded, named_or_found, read_chain
from musterroll.pipeline.instances import Instances, KeyTypes
from musterroll.pipeline.layers import NAMED, layer, merge
from musterroll.pipeline.made_from import plugins_used
from musterroll.pipeline.masks import holds_secret, inside_options, masked_settings
from musterroll.pipeline.origins import Items, TomlTable, at, leaves, path_text, place_of, plain
from musterroll.pipeline.pipeline import Pipeline
from musterroll.pipeline.settings import Settings
from musterroll.pipeline.severity import check_repairs, check_severity
from musterroll.registry.registry import PluginStatus, Registry

STATE_FOLDER = ".musterroll"


def load_pipeline(
    file: Path | None,
    *,
    profile: str | None = None,
    sets: Sequence[str] = (),
    flags: Mapping[str, tuple[Any, str]] | None = None,
    external_plugins: bool = True,
) -> Pipeline:
    """Loads a pipeline and checks it whole. Nothing of a plugin is built yet.

    Args:
        file: the pipeline file; None for `musterroll.toml` in the current folder, failing that the built-in one.
        profile: the `[profiles.NAME]` to put over it.
        sets: `KEY=VALUE` texts.
        flags: settings that flags of the command line stand for: dotted key → value and the flag's name, e.g.
            `{"invites.send_to": ("all", "--invites")}`.
        external_plugins: whether to take plugins of other distributions than musterroll itself.

    Raises:
        PipelineError: everything that is wrong with it. Code `pipeline.invalid`; or `pipeline.not_found` or
            `pipeline.unreadable`, of one file, if that keeps it from being looked at.
    """
    here, file = Path.cwd(), named_or_found(file)
    path = None if file is None else absolute(file)
    folder = here if path is None else path.parent
    chain = read_chain(file, folder)
    mistakes: list[Mistake] = []
    layers = [layer(document.settings, document.place, mistakes) for document in chain]
    layers += _profile_layers(chain, profile, mistakes)
    # Twice: what a text of `--set` means depends on the plugins, and which plugins those are may depend on `--set`.
    assignments = parse_sets(sets, mistakes)
    choices = [one for one in assignments if not inside_options(one.path)]
    flagged = flags_layer(flags or {}, here, mistakes)
    chosen = reduce(merge, [*layers, sets_layer(choices, KeyTypes(), here, []), flagged])
    found = _find_plugins(chosen, external=external_plugins)
    layers += [sets_layer(assignments, KeyTypes(chosen, found.registry), here, mistakes), flagged]
    tree = reduce(merge, layers)

    types = KeyTypes(tree, found.registry)
    check = Check(tree, folder, types)
    check.mistakes += mistakes
    _warn_of_empty_arrays(check, layers)
    _warn_of_nothing_privileged(check, layers)
    settings = check.settings()
    if path is not None and check.is_sound("name") and check.is_from_standard(("name",)):
        check.complain(("name",), 'is needed, e.g. name = "acme"', tree.place)
    _check_language(check, settings)
    fields = fields_of(check)
    _check_absent(check)
    check_severity(check)
    check_repairs(check)
    _check_plugins(check, found)
    registry = found.registry
    instances = Instances(check, registry)
    reader, readers = instances.readers()
    transforms = tuple(instances.array("transforms", "transform"))
    validators = tuple(instances.array("validators", "validator"))
    resolvers = tuple(instances.array("groups", "group_resolver"))
    backend = instances.backend()
    notifiers = tuple(instances.array("notifiers", "notifier"))
    if check.mistakes or settings is None or backend is None:
        raise PipelineError(tuple(dict.fromkeys(check.mistakes)))

    merged = masked_settings(tree, check.masked)
    used = (*readers, *transforms, *validators, *resolvers, backend, *notifiers)
    pipeline = Pipeline(
        settings=Settings.model_validate(merged),  # without literal secrets: nobody needs them from there
        profile=profile,
        file=path,
        folder=folder,
        state=_state_folder(settings.state, tree, folder),
        fields=fields,
        registry=registry,
        warnings=tuple(check.warnings),
        merged=merged,
        shown=_shown(tree, check, types, is_standard=chain[0].place.label == STANDARD),
        set_options=_lasting(sets, tree, check) + flags_as_sets(flags or {}),
        settings_sha256=_sha256_of(merged),
        default_limits=frozenset(key for key, _ in settings.limits if check.is_from_standard(("limits", key))),
        plugins=plugins_used((one.component for one in used), registry, folder),
        reader=reader,
        readers=readers,
        transforms=transforms,
        validators=validators,
        resolvers=resolvers,
        backend=backend,
        notifiers=notifiers,
        locate=check.mistake,
    )
    if settings.sheet.make.password is not None:
        _check_made_password(check, pipeline)
    return pipeline


def _check_made_password(check: Check, pipeline: Pipeline) -> None:
    """Complains where no password that is made meets the rules."""
    from musterroll.pipeline.first_passwords import PasswordMaker  # noqa: PLC0415 -- most pipelines make none

    found = PasswordMaker(pipeline).make("", {})
    if not isinstance(found, Secret):
        text = f"no password that is made so meets the rules: {found.message}"
        check.complain(("sheet", "make", "password", "generate"), text)
        raise PipelineError(tuple(check.mistakes))


def _check_language(check: Check, settings: Settings | None) -> None:
    if settings is None or settings.language is None or settings.language in languages():
        return
    known = f"; the languages are {', '.join(languages())}"
    # Without a country, as the environment may have one: de_DE.
    near = did_you_mean(re.split("[-_]", settings.language)[0], languages())
    check.complain(("language",), f'there is no catalogue for "{settings.language}"{near}{known}')


def profile_names(file: Path | None) -> tuple[str, ...]:
    """Returns the names of the profiles that a pipeline file has, also through those that it extends.

    Args:
        file: as `load_pipeline` takes it.

    Raises:
        PipelineError: the file is missing or cannot be read.
    """
    return _names(read_chain(named_or_found(file), Path.cwd()))


def _names(chain: Sequence[PipelineFile]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for document in chain for name in document.profiles))


def _profile_layers(chain: Sequence[PipelineFile], profile: str | None, mistakes: list[Mistake]) -> list[TomlTable]:
    """A profile goes over all files, and a file's part of it over that of the files it extends."""
    if profile is None:
        return []
    names = _names(chain)
    if profile not in names:
        known = known_names(profile, names, "the profiles are") if names else "; the pipeline has no profiles"
        mistakes.append(Mistake("", f'unknown profile "{profile}"{known}', "--profile"))
    return [
        layer(
            document.profiles[profile],
            replace(
                document.place,
                label=f"{document.place.label}, profile {profile}",
                prefix=("profiles", profile),
            ),
            mistakes,
        )
        for document in chain
        if profile in document.profiles
    ]


def _warn_of_empty_arrays(check: Check, layers: Sequence[TomlTable]) -> None:
    for one in layers:
        for path in NAMED:
            said, merged = at(one, path), at(check.tree, path)
            if isinstance(said, Items) and isinstance(merged, Items) and not said.entries and merged.entries:
                text = "an empty list takes nothing out; write enabled = false in each element to leave out"
                check.warnings.append(Mistake(path_text(one, path), text, said.place.label))


def _warn_of_nothing_privileged(check: Check, layers: Sequence[TomlTable]) -> None:
    """An empty list may take those of another layer away; where there are none, somebody has forgotten them."""
    path = ("privileged", "groups")
    if at(check.tree, path[:1]) is not None and not any(plain(said) for one in layers if (said := at(one, path))):
        check.warn(path, 'names no group, so nothing is privileged; e.g. groups = ["Admin|*", "Owners"]')


def _check_absent(check: Check) -> None:
    absent = at(check.tree, ("absent",))
    limit = ("limits", "deactivate")
    has_limit = at(check.tree, limit) is not None and not check.is_from_standard(limit)  # that is for large portals
    if absent is not None and plain(absent) == "deactivate" and not has_limit:
        text = (
            '"deactivate" needs a limit, so that a wrong sheet cannot do much harm; e.g. deactivate = 20 under [limits]'
        )
        check.complain(("absent",), text)


class _Found(NamedTuple):
    """The plugins of a pipeline, and what it says about them.

    Attributes:
        registry: the plugins.
        files: the local files: index and text in their list.
        disabled: index and text of what is to be left out.
    """

    registry: Registry
    files: Mapping[Path, tuple[int, str]]
    disabled: Sequence[tuple[int, str]]


def _find_plugins(tree: TomlTable, *, external: bool) -> _Found:
    named = texts(at(tree, ("plugins",)))
    files = {absolute(place.folder / expanded(Path(text))): (i, text) for i, text, place in named}
    disabled = [(i, name) for i, name, _ in texts(at(tree, ("disable",)))]
    registry = Registry.load(external=external, local_files=tuple(files), disable=[name for _, name in disabled])
    return _Found(registry, files, disabled)


def _check_plugins(check: Check, found: _Found) -> None:
    registry = found.registry
    for i, name in found.disabled:
        if not registry.is_known(name):
            near = did_you_mean(name, registry.names())
            check.warn(("disable", i), f'there is no plugin "{name}"{near}')
    for fault in registry.faults:
        path = fault.plugin.path
        if fault.status is PluginStatus.BROKEN and path is not None and path in found.files:
            i, text = found.files[path]
            check.complain(("plugins", i), f"{text}: {fault.detail}")
        elif fault.status is not PluginStatus.DISABLED:
            check.warnings.append(Mistake("", f"{fault}; it is left out", "plugins"))


def _state_folder(state: str | None, tree: TomlTable, folder: Path) -> Path:
    if state is None:
        return folder / STATE_FOLDER
    return place_of(tree, ("state",)).folder / expanded(Path(state))


def _lasting(sets: Sequence[str], tree: TomlTable, check: Check) -> tuple[str, ...]:
    """The `--set` texts that may be kept: those without a secret."""
    paths = ((text, parse_key(text.partition("=")[0]) or ()) for text in sets)
    return tuple(
        text for text, path in paths if place_of(tree, path).label != SET or not holds_secret(tree, path, check.masked)
    )


def _shown(tree: TomlTable, check: Check, types: KeyTypes, *, is_standard: bool) -> dict[str, Any]:
    """The merged pipeline as a file in the pipeline's folder would have it."""
    moved = {}
    for path, value in leaves(tree):
        place = place_of(tree, path)
        if isinstance(value, str) and place.folder != check.folder and types.is_path(path):
            moved[path] = str(place.folder / expanded(Path(value)))
    shown = masked_settings(tree, check.masked, moved)
    return shown if is_standard else {"extends": False, **shown}


def _sha256_of(merged: Mapping[str, Any]) -> str:
    canonical = json.dumps(merged, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()
