"""What a saved plan says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from musterroll.pipeline.made_from import MadeFrom, PluginsUsed
from musterroll.sheet.summary import SheetCounts, SheetSummary

SCHEMA = "musterroll-plan/1"


@dataclass(frozen=True, slots=True)
class PlannedPipeline:
    """The pipeline that a plan was made with.

    Attributes:
        name: its name.
        file: the pipeline file; None for the built-in one.
        folder: where that file is; for the built-in one the folder that the plan was made in.
        profile: the profile.
        sets: the `--set` texts, but for those that hold a secret.
        sha256: of the merged settings.
    """

    name: str
    file: str | None
    folder: str
    profile: str | None
    sets: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class PlannedBackend:
    """The portal that a plan was made against: the backend's name in the pipeline, and which portal it is."""

    use: str
    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHeader:
    """What a saved plan says of itself, in the order of the file.

    Attributes:
        id: the plan's id; the journal keeps it with the job that applies it.
        made: when, ISO 8601 in UTC.
        musterroll: the version that made it.
        pipeline: what it was made with.
        plugins: the plugins that were used.
        backend: the portal.
        sheet: the sheet.
        counts: its rows and problems.
    """

    id: str
    made: str
    musterroll: str
    pipeline: PlannedPipeline
    plugins: PluginsUsed
    backend: PlannedBackend
    sheet: SheetSummary
    counts: SheetCounts

    @property
    def made_from(self) -> MadeFrom:
        """What the plan rests on."""
        return MadeFrom(
            sheet=self.sheet.sha256,
            pipeline=self.pipeline.sha256,
            plugins=self.plugins,
            identity=self.backend.identity,
        )
