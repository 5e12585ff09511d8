"""`export`: the portal's users as the pipeline's own sheet, to be edited and run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from musterroll.contract.drafts import Draft
from musterroll.contract.fields import PASSWORD
from musterroll.contract.translation import gettext
from musterroll.contract.users import Existing
from musterroll.errors import BackendError, PluginError, UsageError
from musterroll.pipeline.pipeline import Pipeline
from musterroll.progress import SILENT, Progress
from musterroll.registry.plugin_errors import guarded
from musterroll.written.existing_rows import ExistingRows
from musterroll.written.new_sheet import WritableFormat, format_of_name, refuse_existing, writable_formats, write_draft
from musterroll.written.user_sheet import has_guidance, user_sheet

_BATCH = 500  # so many users are told at once
_STREAMED = "csv"  # the format that goes to standard output: the others are no streams


class ExportedSheet(NamedTuple):
    """A sheet of the portal's users.

    Attributes:
        path: where it is; None where it went to standard output.
        format: of the sheet.
        users: how many are in it.
        left_out: users whose row would mean somebody else, since the pipeline makes usernames of other columns.
        asks_passwords: whether the sheet has no place to say that passwords may stay empty, and the pipeline asks for
            them.
    """

    path: Path | None
    format: str
    users: int
    left_out: int
    asks_passwords: bool

    def members(self) -> dict[str, Any]:
        """Its members of the JSON document."""
        return {
            "export": {
                "path": None if self.path is None else str(self.path),
                "format": self.format,
                "users": self.users,
                "left_out": self.left_out,
            }
        }


def export(
    pipeline: Pipeline,
    to: Path | BinaryIO,
    *,
    group: str | None = None,
    inactive: bool = False,
    replace: bool = False,
    progress: Progress = SILENT,
) -> ExportedSheet:
    """Writes the portal's users as the pipeline's own sheet: what was not edited in it asks for no change.

    Args:
        pipeline: the pipeline.
        to: the file, whose name says the format; or what takes the bytes of a csv sheet.
        group: only direct members of this group, named as in a sheet.
        inactive: whether deactivated users are in it as well.
        replace: whether to write over a file that is there.
        progress: told how it goes on.

    Raises:
        UsageError: the format cannot be written, the file exists, there is no such group, or the sheet would bring
            back whoever is inactive.
        MusterrollError: the portal cannot list its users, or the file cannot be written.
        OSError: the bytes could not be written.
    """
    if isinstance(to, Path):
        form = format_of_name(pipeline, to, "-o")
        refuse_existing(to, replace=replace)
    else:
        form = _streamed(pipeline)
    with pipeline.build_backend(read_only=True) as portal:
        if not portal.lists_users:
            raise BackendError(
                gettext(
                    "{name}: this backend cannot list its portal's users, so they cannot be exported",
                    name=pipeline.backend.component.name,
                ),
                code="export.unsupported",
            )
        progress.stage("Reading the users of the portal")
        rows = ExistingRows(pipeline, portal.groups() if portal.capabilities().groups else ())
        refs = None if group is None else rows.group_refs(group)
        found = rows.rows(_told(pipeline, portal.all_users(), progress), inactive=inactive, groups=refs)
        keeps_inactive = inactive and not rows.says_inactive
        if keeps_inactive and pipeline.settings.on_inactive == "reactivate":
            _refuse_without_guidance(pipeline)
        draft = user_sheet(pipeline, found, existing=True, keeps_inactive=keeps_inactive)
        if isinstance(to, Path):
            write_draft(pipeline, form, draft, [to], private=True, replace=replace)
        else:
            _stream(pipeline, form, draft, to)
    return ExportedSheet(
        path=to if isinstance(to, Path) else None,
        format=form.name,
        users=rows.written,
        left_out=rows.left_out,
        asks_passwords=pipeline.settings.password.required == "always"
        and pipeline.fields[PASSWORD].needs_column
        and not has_guidance(pipeline.settings.sheet),
    )


def _refuse_without_guidance(pipeline: Pipeline) -> None:
    """A sheet that cannot say that whoever is inactive stays so would bring them all back."""
    if not has_guidance(pipeline.settings.sheet):
        raise UsageError(
            gettext(
                "--inactive: this pipeline makes whoever is in a sheet active again, and its sheet has no row of "
                'guidance that could say otherwise; give it a column with the role "active", or leave --inactive out'
            ),
            code="export.inactive",
        )


def _streamed(pipeline: Pipeline) -> WritableFormat:
    found = next((one for one in writable_formats(pipeline) if one.name == _STREAMED), None)
    if found is None:
        raise UsageError(gettext("this pipeline has no csv, which goes to standard output; name a file with -o"))
    return found


def _stream(pipeline: Pipeline, form: WritableFormat, draft: Draft, target: BinaryIO) -> None:
    try:
        with guarded(form.instance.label, "writing a sheet"):
            pipeline.build_writer(form.instance).write(draft, target)
    except PluginError as error:
        if isinstance(error.__cause__, OSError):  # nobody reads any more, say: not the writer's fault
            raise error.__cause__ from None
        raise


def _told(pipeline: Pipeline, users: Iterable[Existing], progress: Progress) -> Iterator[Existing]:
    """The users, while the progress is told and the person may interrupt."""
    for number, user in enumerate(users, 1):
        if number % _BATCH == 0:
            progress.advance(_BATCH)
            pipeline.stop_if_cancelled()
        yield user
