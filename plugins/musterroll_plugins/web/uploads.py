"""The sheet comes in: instructions, the blank sheet, the upload, and the check that it is given."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from musterroll import Field, MusterrollError, gettext, gettext_noop
from musterroll.engine import Pipeline, column_guidance, template
from musterroll_plugins.web.customers import Target
from musterroll_plugins.web.desk import Upload
from musterroll_plugins.web.people import Role
from musterroll_plugins.web.private import make_folder, open_new
from musterroll_plugins.web.site import Route, Visit, too_large
from musterroll_plugins.web.view import View

_SUFFIXES = (".xlsx", ".ods", ".csv", ".tsv", ".txt")
FORMATS = ("xlsx", "ods", "csv")
"""Those of the blank sheet."""

_NAME = 120  # characters of a file's name that are shown
_CHUNK = 1024 * 1024
_EMPTY = gettext_noop("there is nothing in the file")


async def new(visit: Visit) -> Response:
    """The instructions, and the form to upload a sheet with."""
    return await _new(visit)


async def _new(visit: Visit, error: str | None = None, status: int = 200) -> Response:
    former, told = _former(visit), await instructions(visit)
    return visit.page(
        "new.html",
        status,
        fields=told.fields,
        rules=told.rules,
        targets=told.targets,
        chosen=visit.text("profile") or (former.profile if former else ""),
        former=former,
        guidance=told.guidance,
        formats=FORMATS,
        accept=",".join(_SUFFIXES),
        errors=[("sheet", error)] if error else [],
        too_large=too_large(visit.site),
    )


@dataclass(frozen=True, slots=True)
class Instructions:
    """How a customer's sheet has to look, and where its import can go.

    Attributes:
        fields: those that have a column.
        guidance: what goes into each of them, by its name.
        rules: how the sheet is read, in words.
        targets: where the import can go.
    """

    fields: list[Field]
    guidance: Mapping[str, str]
    rules: list[str]
    targets: list[Target]


async def instructions(visit: Visit) -> Instructions:
    """The instructions of a customer."""
    pipeline = await visit.pipeline()
    targets = await run_in_threadpool(visit.site.customers.targets, visit.customer)
    fields = [one for one in pipeline.fields.values() if one.has_column]
    try:
        found = await run_in_threadpool(column_guidance, pipeline)
    except MusterrollError:  # a rule is broken; the check says which
        found = {}
    guidance = {one.name: found.get(one.name, one.guidance_with("")) for one in fields}
    return Instructions(fields, guidance, _rules(pipeline), targets)


def _rules(pipeline: Pipeline) -> list[str]:
    """How the customer's sheet is read, in words."""
    sheet, settings = pipeline.settings.sheet, pipeline.settings
    found = []
    found.append(
        gettext(
            "The headings are in row {headings}; users begin in row {first}. The order of the columns does not matter, "
            "and further columns are passed over.",
            headings=sheet.heading_row,
            first=sheet.first_row,
        )
    )
    found.append(
        {
            "stop": gettext("A blank row ends the import."),
            "skip": gettext("Blank rows are passed over."),
            "error": gettext("A blank row is an error."),
        }[sheet.on_blank_row]
    )
    found.append(
        gettext("One row with an error keeps everything out: nothing is written until the sheet is right.")
        if settings.on_error == "abort"
        else gettext("Rows with errors are left out, and can be corrected and uploaded on their own; the others go in.")
    )
    found.append(
        gettext("A blank cell of somebody who is in the portal already keeps what is stored.")
        if sheet.on_blank_cell == "keep"
        else gettext("A blank cell of somebody who is in the portal already empties what is stored.")
    )
    if "groups" in pipeline.fields and not pipeline.fields["groups"].omitted:
        found.append(
            gettext("Groups: several with a semicolon (Group 1;Group 2), subgroups with a bar (Parent Group|Child).")
        )
    if settings.scope:
        both = gettext(" and ")
        said = both.join(f'{pipeline.fields[name].heading} "{text}"' for name, text in settings.scope.items())
        found.append(
            gettext("The sheet is about users with {values} only; a row about anybody else is an error.", values=said)
        )
    if settings.mode == "create":
        found.append(gettext("Users are created only; who exists is left alone."))
    if settings.mode == "update":
        found.append(gettext("Users are updated only; nobody is created."))
    if settings.privileged.groups:
        groups = ", ".join(settings.privileged.groups)
        found.append(gettext("Members of these groups are shown apart: {groups}.", groups=groups))
    return found


async def blank_sheet(visit: Visit) -> Response:
    """The blank sheet, in one of the formats."""
    form = visit.request.path_params["form"]
    if form not in FORMATS:
        raise HTTPException(404)
    pipeline = await visit.pipeline()

    def make() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"sheet.{form}"
            template(pipeline, path, form=form)
            return path.read_bytes()

    try:
        content = await run_in_threadpool(make)
    except MusterrollError:  # none of the pipeline's readers writes that
        raise HTTPException(404) from None
    return download(content, f"{visit.name}.{form}")


def download(content: bytes, name: str) -> Response:
    """A file to be saved; never shown by the browser, whatever is in it."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


async def upload(visit: Visit) -> Response:
    """Takes a sheet, and has it checked."""
    sheet = visit.file("sheet")
    if sheet is None or sheet.filename is None:
        return await _new(visit, gettext("choose a sheet to upload"), 422)
    try:
        taken = await take(visit, sheet.filename, sheet.file, profile=visit.text("profile"))
    except HTTPException as error:
        return await _new(visit, error.detail, error.status_code)
    former = _former(visit)
    checked = check(visit, in_place_of(former, taken))
    discard_former(visit, former)
    return visit.to(f"/work/{checked.check}")


async def not_posted(visit: Visit) -> Response:
    """Sends who comes again to where a form had led, to the form."""
    return visit.to("/new")


def _former(visit: Visit) -> Upload | None:
    """The upload that a corrected sheet takes the place of: what was said of its columns holds for this one, too."""
    return visit.site.desk.upload(visit.name, visit.text("after") or visit.query("after"))


def in_place_of(former: Upload | None, taken: Upload) -> Upload:
    """The sheet, with what was said of the columns of the one that it takes the place of."""
    return replace(taken, sets=former.sets) if former and former.profile == taken.profile else taken


def discard_former(visit: Visit, former: Upload | None) -> None:
    """Forgets an upload whose place another one has taken, unless it has become a job."""
    if former is not None and not visit.site.desk.is_imported(former):
        forget(visit, former)


def forget(visit: Visit, upload: Upload) -> None:
    """Forgets an upload."""
    visit.site.desk.discard(upload)
    visit.note("discard", upload.id)


async def take(visit: Visit, name: str, content: BinaryIO, *, profile: str) -> Upload:
    """Stores a sheet.

    Args:
        visit: who brings it.
        name: what its file is called there.
        content: what is in it.
        profile: the profile that it is for; empty for none.

    Raises:
        HTTPException: it is not taken.
    """
    visit.refuse_when_full()  # before anything is kept of it
    desk = visit.site.desk
    suffix = next((one for one in _SUFFIXES if name.lower().endswith(one)), None)
    if suffix is None:
        raise HTTPException(
            415,
            gettext(
                "this is no sheet that can be read; the file's name must end in {endings}",
                endings=", ".join(_SUFFIXES),
            ),
        )
    if profile and profile not in visit.customer.profiles:
        raise HTTPException(422, gettext("choose where the import goes"))
    waiting = await run_in_threadpool(lambda: [one for one in desk.uploads(visit.name) if one.run is None])
    if len(waiting) >= visit.site.max_uploads:
        raise HTTPException(429, gettext("too many uploads wait to be imported; import or discard some of them first"))
    made, path = desk.new_upload(visit.name, visit.person.who, shown_name(name), suffix)
    made = replace(made, profile=profile)
    size = await run_in_threadpool(_copy, content, path)
    if size == 0 or size > visit.site.max_upload * _CHUNK:
        desk.discard(made)
        raise HTTPException(422, gettext(_EMPTY)) if size == 0 else HTTPException(413, too_large(visit.site))
    desk.store(made)
    visit.note("upload", made.id)
    return made


def shown_name(name: str) -> str:
    """A file's name as it is shown: without folders, and without what orders a terminal or a browser about."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(one if one.isprintable() else "_" for one in last)[-_NAME:]


def _copy(content: BinaryIO, path: Path) -> int:
    make_folder(path.parent)
    with open_new(path) as target:
        shutil.copyfileobj(content, target, _CHUNK)
        return target.tell()


def check(visit: Visit, upload: Upload) -> Upload:
    """Has an upload checked; returns it with the work that does."""
    work = visit.begin_with(upload, "check")
    upload = replace(upload, check=work.id, run=None)
    visit.site.desk.store(upload)
    visit.note("check", upload.id)
    return upload


_GONE = gettext_noop("this sheet is not here any more: it was discarded, or another one has taken its place")


def found_upload(visit: Visit) -> Upload:
    """The upload that the path names.

    Raises:
        HTTPException: there is none of this customer (404).
    """
    found = visit.site.desk.upload(visit.name, visit.request.path_params["upload"])
    if found is None:
        raise HTTPException(404, gettext(_GONE))
    return found


def unimported(visit: Visit, upload: Upload | None) -> Upload:
    """The upload, which nobody has begun to import.

    Raises:
        HTTPException: somebody has, or it is gone (409).
    """
    if upload is None:
        raise HTTPException(409, gettext(_GONE))
    if visit.site.desk.is_imported(upload):
        text = gettext("the import of this sheet was begun already, by {name}", name=upload.imported_by)
        raise HTTPException(409, text)
    return upload


async def with_check(
    visit: Visit, upload: Upload, show: Callable[[Visit, Upload, View], Awaitable[Response]]
) -> Response:
    """Shows what a check has found; sends the browser to the check while it lasts."""
    desk = visit.site.desk
    work = desk.work(visit.name, upload.check or "")
    if work is None:  # it was tidied away
        return visit.to(f"/work/{check(visit, upload).check}")
    standing = desk.standing(work)
    if standing.state in ("waiting", "running"):
        return visit.to(f"/work/{work.id}")
    try:
        view = await run_in_threadpool(View, desk.view_of(work))
    except FileNotFoundError:
        result = standing.result or {}
        error = (result.get("error") or {}).get("message", gettext("the check was cut off"))
        return visit.page("unread.html", upload=upload, reason=error, target=await visit.target(upload.profile))
    with view:
        return await show(visit, upload, view)


async def check_again(visit: Visit) -> Response:
    """Checks an upload once more: the portal may have changed."""
    upload = unimported(visit, found_upload(visit))
    return visit.to(f"/work/{check(visit, upload).check}")


async def discard(visit: Visit) -> Response:
    """Forgets an upload that was not imported."""
    forget(visit, unimported(visit, found_upload(visit)))
    return visit.to("")


ROUTES: list[Route] = [
    ("GET", "/c/{customer}/new", new, Role.IMPORTER),
    ("GET", "/c/{customer}/blank/{form}", blank_sheet, Role.VIEWER),
    ("POST", "/c/{customer}/uploads", upload, Role.IMPORTER),
    ("GET", "/c/{customer}/uploads", not_posted, Role.IMPORTER),
    ("POST", "/c/{customer}/uploads/{upload}/check", check_again, Role.IMPORTER),
    ("POST", "/c/{customer}/uploads/{upload}/discard", discard, Role.IMPORTER),
]
