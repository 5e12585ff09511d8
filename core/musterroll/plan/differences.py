"""What has changed since a plan was made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from musterroll.contract.translation import gettext
from musterroll.contract.users import GroupPath


@dataclass(frozen=True, slots=True)
class PluginDifference:
    """A plugin that differs: a distribution and its versions, or a local file. None where it is not used."""

    name: str
    planned: str | None
    now: str | None


class GroupState(StrEnum):
    """What a plan found of a group that it touches."""

    EXISTS = "exists"
    MISSING = "missing"  # so the plan creates it
    REPLACED = "replaced"  # another one of that name


@dataclass(frozen=True, slots=True)
class GroupDifference:
    """A group of which the portal says something else. None where the plan does not touch it."""

    path: GroupPath
    planned: GroupState | None
    now: GroupState | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that would come out differently for a user.

    Attributes:
        what: `row` (one of the plans does not have it), `username`, `action`, `fields.NAME`, `groups`, `password`,
            `invite`; or `portal`: something that the plan leaves as it is.
        planned: as `changes` of the JSON document have it; None where there is nothing to say.
        now: likewise.
    """

    what: str
    planned: Any = None
    now: Any = None


@dataclass(frozen=True, slots=True)
class UserDifference:
    """A user for whom a plan would come out differently. `row` is None for one that is not in the sheet."""

    row: int | None
    username: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class AppliedBy:
    """The job that applied a plan already, when it began (ISO 8601, UTC), and its state."""

    job: str
    started: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """What has changed since a plan was made.

    Attributes:
        sheet: whether the sheet has.
        pipeline: whether the merged settings have.
        plugins: the plugins that have.
        backend: whether the portal is another one, or its users or groups have; None where it was not asked.
        ledger: whether somebody was invited, or got a new password, or an invite has expired.
        groups: the groups that differ.
        users: the users that differ, in the order of the sheet.
        applied_by: the job that applied the plan, where one has.
    """

    sheet: bool = False
    pipeline: bool = False
    plugins: tuple[PluginDifference, ...] = ()
    backend: bool | None = None
    ledger: bool = False
    groups: tuple[GroupDifference, ...] = ()
    users: tuple[UserDifference, ...] = ()
    applied_by: AppliedBy | None = None

    @property
    def causes(self) -> tuple[str, ...]:
        """What has changed, in words."""
        named = {
            gettext("the sheet"): self.sheet,
            gettext("the pipeline"): self.pipeline,
            gettext("a plugin"): self.plugins,
            gettext("the portal"): self.backend,
            gettext("who was invited"): self.ledger,
        }
        return tuple(words for words, changed in named.items() if changed)
