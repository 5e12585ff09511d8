"""What the check of a sheet has found: the problems, or the answers to be checked; and the import that follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from musterroll import gettext
from musterroll_plugins.web.columns import columns_page
from musterroll_plugins.web.desk import Upload, Work
from musterroll_plugins.web.people import Role
from musterroll_plugins.web.site import Route, Visit
from musterroll_plugins.web.uploads import found_upload, unimported, with_check
from musterroll_plugins.web.view import View
from musterroll_plugins.web.words import INVITES


async def step(visit: Visit) -> Response:
    """Where an upload stands: sends the browser to the step that comes next, or shows the columns or the answers."""
    upload = found_upload(visit)
    if upload.run is not None:
        return visit.to(f"/work/{upload.run}")
    return await with_check(visit, upload, _step)


async def _step(visit: Visit, upload: Upload, view: View) -> Response:
    meta = view.meta
    if meta["columns"] is not None and not upload.asked:
        return await columns_page(visit, upload, view)
    if meta["counts"]["errors"] or not is_importable(meta):
        return await _problems(visit, upload, view)
    return await _answers(visit, upload, view)


def is_importable(meta: Mapping[str, Any]) -> bool:
    """Whether anything of a checked sheet could go in."""
    return bool(meta["choices"] and meta["actions"])


async def answers(visit: Visit) -> Response:
    """What the import would do."""
    return await with_check(visit, found_upload(visit), _answers_or_problems)


async def _answers_or_problems(visit: Visit, upload: Upload, view: View) -> Response:
    return await (_answers if is_importable(view.meta) else _problems)(visit, upload, view)


async def problems(visit: Visit) -> Response:
    """The problems of a sheet."""
    return await with_check(visit, found_upload(visit), _problems)


async def _problems(visit: Visit, upload: Upload, view: View) -> Response:
    severity = visit.query("severity") if visit.query("severity") in ("error", "warning") else ""
    code, field = visit.query("code"), visit.request.query_params.get("field")
    fields = (await visit.pipeline(upload.profile)).fields
    return visit.page(
        "problems.html",
        upload=upload,
        meta=view.meta,
        importable=is_importable(view.meta),
        has_passwords=any(one.secret and one.has_column for one in fields.values()),
        groups=view.causes(severity),
        severity=severity,
        code=code,
        field=field,
        found=view.problems(visit.page_number, severity=severity, code=code, field=field if code else None),
        target=await visit.target(upload.profile),
    )


async def _answers(
    visit: Visit, upload: Upload, view: View, errors: Iterable[tuple[str, str]] = (), status: int = 200
) -> Response:
    outcome, text = visit.query("outcome"), visit.query("q").strip()
    return visit.page(
        "answers.html",
        status,
        upload=upload,
        meta=view.meta,
        outcome=outcome,
        text=text,
        found=view.lines(visit.page_number, text=text, outcome=outcome),
        fields=(await visit.pipeline(upload.profile)).fields,
        target=await visit.target(upload.profile),
        errors=list(errors),
    )


async def run(visit: Visit) -> Response:
    """Begins the import that was shown."""
    return await with_check(visit, found_upload(visit), _run)


async def _run(visit: Visit, upload: Upload, view: View) -> Response:
    try:
        work = begin_import(visit, upload, view.meta, visit.text("invites"))
    except HTTPException as error:
        if error.status_code != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        errors = [(f"invites-{view.meta['usual']}", error.detail)]
        return await _answers(visit, upload, view, errors, error.status_code)
    return visit.to(f"/work/{work.id}")


def begin_import(visit: Visit, upload: Upload, meta: Mapping[str, Any], choice: str) -> Work:
    """Begins the import of a sheet as its check has shown it.

    Args:
        visit: who wants it.
        upload: the sheet.
        meta: what the check has found.
        choice: to whom invites are sent.

    Raises:
        HTTPException: it is being imported, or nothing of it can be (409), or there is no such choice (422).
    """
    desk = visit.site.desk
    # Looked at again: another person may have begun it a moment ago.
    now = unimported(visit, desk.upload(visit.name, upload.id))
    if not is_importable(meta):
        raise HTTPException(409, gettext("nothing of the sheet can be imported"))
    if choice not in meta["choices"]:
        raise HTTPException(422, gettext("say to whom invites are sent"))
    assert choice in INVITES
    shown = {"invites": meta["choices"][choice]["sends"], "digest": meta["digest"]}
    more = {"shown": shown, "invites": None if choice == meta["usual"] else choice}
    work = visit.begin_with(upload, "run", more)
    desk.store(replace(now, run=work.id, began_by=work.by))
    visit.note("run", upload.id)
    return work


async def not_posted(visit: Visit) -> Response:
    """Sends who reloads a page that a form led to, back to the upload."""
    return visit.to(f"/uploads/{found_upload(visit).id}")


ROUTES: list[Route] = [
    ("GET", "/c/{customer}/uploads/{upload}", step, Role.IMPORTER),
    ("GET", "/c/{customer}/uploads/{upload}/problems", problems, Role.IMPORTER),
    ("GET", "/c/{customer}/uploads/{upload}/answers", answers, Role.IMPORTER),
    ("GET", "/c/{customer}/uploads/{upload}/columns", not_posted, Role.IMPORTER),
    ("POST", "/c/{customer}/uploads/{upload}/run", run, Role.IMPORTER),
    ("GET", "/c/{customer}/uploads/{upload}/run", not_posted, Role.IMPORTER),
]
