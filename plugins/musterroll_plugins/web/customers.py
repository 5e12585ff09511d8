"""The customers: a pipeline file each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from musterroll import Mistake, MusterrollError, PipelineError, UsageError, gettext, language
from musterroll.engine import DEFAULT_FILE, Pipeline, load_pipeline, profile_names
from musterroll_plugins.web.people import Person


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer.

    Attributes:
        name: the pipeline's name.
        file: its file; None for the built-in pipeline.
        profiles: the profiles that it has, besides none.
    """

    name: str
    file: Path | None
    profiles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """Where an import goes, as people are shown it: so that production never looks like a rehearsal.

    Attributes:
        profile: the profile; empty for none.
        kind: `production`, `rehearsal` or `plain`.
        portal: the backend of the profile.
    """

    profile: str
    kind: str
    portal: str

    @property
    def label(self) -> str:
        """What it is called."""
        return self.profile or gettext("the pipeline as it is")


_PRODUCTION = ("prod", "live")


def target_of(pipeline: Pipeline) -> Target:
    """Says where a pipeline's imports go."""
    profile = pipeline.profile or ""
    kind = "plain" if not profile else "production" if profile.lower().startswith(_PRODUCTION) else "rehearsal"
    return Target(profile, kind, pipeline.backend.component.name)


class Customers:
    """The customers by name. A pipeline is loaded anew when its file has changed.

    Args:
        paths: pipeline files, and folders of them.

    Raises:
        MusterrollError: there is none, two have one name, or a file has mistakes.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._lock = Lock()
        self._loaded: dict[tuple[str, str | None], tuple[int, Pipeline]] = {}
        self._by_name: dict[str, Customer] = {}
        self._usual = language()
        self._languages: dict[str, str] = {}
        mistakes: list[Mistake] = []
        for file in _files(paths):
            try:
                pipeline = load_pipeline(file)
            except PipelineError as error:
                mistakes += error.mistakes
                continue
            if pipeline.name in self._by_name:
                raise UsageError(f'two of the pipelines are called "{pipeline.name}"; give each customer its own name')
            self._note_language(pipeline)
            self._by_name[pipeline.name] = Customer(pipeline.name, pipeline.file, profile_names(file))
        if mistakes:
            raise PipelineError(mistakes)

    @property
    def all(self) -> Mapping[str, Customer]:
        """All of them, by name."""
        return self._by_name

    def of(self, person: Person) -> list[Customer]:
        """Those for whom somebody has a role; the others do not exist for them."""
        return [one for one in self._by_name.values() if person.role_for(one.name)]

    def pipeline(self, customer: Customer, profile: str | None = None) -> Pipeline:
        """The pipeline of a customer, as its file is now.

        Raises:
            MusterrollError: the file has mistakes by now.
        """
        changed = customer.file.stat().st_mtime_ns if customer.file and customer.file.exists() else 0
        with self._lock:
            known = self._loaded.get((customer.name, profile))
            if known is None or known[0] != changed:
                known = changed, load_pipeline(customer.file, profile=profile)
                self._loaded[customer.name, profile] = known
                self._note_language(known[1])
            return known[1]

    def language(self, customer: Customer) -> str:
        """The language of a customer's pages: that of the pipeline, as it was read last."""
        return self._languages[customer.name]

    @property
    def common_language(self) -> str:
        """The language of the pages that are about no customer: that of all of them, if it is one."""
        found = set(self._languages.values())
        return found.pop() if len(found) == 1 else self._usual

    def _note_language(self, pipeline: Pipeline) -> None:
        self._languages[pipeline.name] = pipeline.settings.language or self._usual

    def targets(self, customer: Customer) -> list[Target]:
        """Where a customer's imports can go; a profile that cannot be loaded is left out."""
        found = []
        for profile in (None, *customer.profiles):
            try:
                found.append(target_of(self.pipeline(customer, profile)))
            except MusterrollError:
                continue
        return found


def _files(paths: Sequence[Path]) -> Sequence[Path | None]:
    if not paths:
        return [Path(DEFAULT_FILE) if Path(DEFAULT_FILE).exists() else None]
    found: list[Path | None] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted({*path.glob("*.toml"), *path.glob(f"*/{DEFAULT_FILE}")})
        if not inside:
            raise UsageError(f"the folder {path} holds no pipeline: neither *.toml nor */{DEFAULT_FILE}")
        found += inside
    return found
