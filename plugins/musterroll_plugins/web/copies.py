"""Copies of an uploaded sheet to be taken along: with what is certain corrected, or with what is wrong marked in it.

A worker makes them as `validate --fix` and `--annotate` do. They lie beside the sheet, and go with it.
"""

from __future__ import annotations

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from musterroll_plugins.web.desk import COPIES, Upload, Work, copy_of
from musterroll_plugins.web.people import Role
from musterroll_plugins.web.site import Route, Visit
from musterroll_plugins.web.uploads import download, found_upload


async def make(visit: Visit) -> Response:
    """Has a copy made."""
    upload, with_passwords = found_upload(visit), bool(visit.text("passwords"))
    work = begin_copy(visit, upload, visit.request.path_params["copy"], with_passwords=with_passwords)
    return visit.to(f"/work/{work.id}")


def begin_copy(visit: Visit, upload: Upload, kind: str, *, with_passwords: bool) -> Work:
    """Has a copy of a sheet made.

    Args:
        visit: who wants it.
        upload: the sheet.
        kind: one of `COPIES`.
        with_passwords: whether an annotated copy holds the passwords; a corrected one does.

    Raises:
        HTTPException: there is no such kind (404).
    """
    if kind not in COPIES:
        raise HTTPException(404)
    keeps = kind == "fixed" or with_passwords
    work = visit.begin_with(upload, kind, {"keeps_passwords": keeps, "called": upload.name})
    visit.note(f"{kind} copy{' with passwords' if keeps else ''}", upload.id)
    return work


async def ready(visit: Visit) -> Response:
    """Says what is in a copy, and lets it be downloaded."""
    upload, work = _found(visit)
    standing = visit.site.desk.standing(work)
    if standing.state != "done":
        return visit.to(f"/work/{work.id}")
    return visit.page(
        "copy.html",
        upload=upload,
        work=work,
        result=standing.result,
        is_text=Path(upload.file).suffix not in (".xlsx", ".ods"),
        has_file=copy_of(work).is_file(),
        target=await visit.target(upload.profile),
    )


async def file(visit: Visit) -> Response:
    """The copy."""
    _, work = _found(visit)
    return await download_copy(visit, work)


async def download_copy(visit: Visit, work: Work) -> Response:
    """The copy that a work has made.

    Raises:
        HTTPException: there is none (404).
    """
    path = copy_of(work)
    if visit.site.desk.standing(work).state != "done" or not path.is_file():
        raise HTTPException(404)
    visit.note(f"download of the {work.kind} copy", work.upload)
    return download(await run_in_threadpool(path.read_bytes), f"{visit.name}-{work.kind}{path.suffix}")


def _found(visit: Visit) -> tuple[Upload, Work]:
    upload = found_upload(visit)
    work = visit.site.desk.work(visit.name, visit.request.path_params["work"])
    if work is None or work.kind not in COPIES or work.upload != upload.id:
        raise HTTPException(404)
    return upload, work


ROUTES: list[Route] = [
    ("POST", "/c/{customer}/uploads/{upload}/copies/{copy}", make, Role.IMPORTER),
    ("GET", "/c/{customer}/uploads/{upload}/copies/{work}", ready, Role.IMPORTER),
    ("GET", "/c/{customer}/uploads/{upload}/copies/{work}/file", file, Role.IMPORTER),
]
