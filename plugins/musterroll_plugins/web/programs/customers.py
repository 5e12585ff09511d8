"""The customers of a program: how their sheets look, where their imports go, and what waits to be imported."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from musterroll_plugins.web.customers import Customer
from musterroll_plugins.web.desk import Upload
from musterroll_plugins.web.jobs import jobs_of, paged, waiting_of
from musterroll_plugins.web.programs.answers import page_of, told_by
from musterroll_plugins.web.site import Visit
from musterroll_plugins.web.uploads import FORMATS, instructions


async def customers(visit: Visit) -> Response:
    """The customers for whom the program has a role."""
    return JSONResponse({"customers": [_brief(visit, one) for one in visit.site.customers.of(visit.person)]})


def _brief(visit: Visit, customer: Customer) -> dict[str, Any]:
    role = visit.person.role_for(customer.name)
    assert role is not None
    return {"name": customer.name, "role": role.name.lower(), "profiles": list(customer.profiles)}


async def customer(visit: Visit) -> Response:
    """A customer: the columns and rules of the sheet, and where its import can go."""
    told = await instructions(visit)
    fields = [
        {
            "name": one.name,
            "heading": one.heading,
            "aliases": list(one.aliases),
            "required": one.required,
            "max_length": one.max_length,
            "guidance": told.guidance[one.name],
        }
        for one in told.fields
    ]
    targets = [{"profile": one.profile or None, "kind": one.kind, "portal": one.portal} for one in told.targets]
    limits = {"upload_megabytes": visit.site.max_upload, "waiting_uploads": visit.site.max_uploads}
    found = {"targets": targets, "fields": fields, "rules": told.rules, "blank_sheets": list(FORMATS), "limits": limits}
    return JSONResponse({**_brief(visit, visit.customer), **found})


async def uploads(visit: Visit) -> Response:
    """The sheets that are not imported yet."""
    page, shown = paged(visit, await waiting_of(visit, await jobs_of(visit)))
    return page_of(page, "uploads", [_upload(visit, one) for one in shown])


def _upload(visit: Visit, upload: Upload) -> dict[str, Any]:
    desk = visit.site.desk
    work = desk.work(visit.name, upload.run or upload.check or "")
    return {
        "upload": upload.id,
        "name": upload.name,
        **told_by(upload.by),
        "at": upload.at,
        "profile": upload.profile or None,
        "id": work.id if work else None,
        "kind": work.kind if work else None,
        "state": desk.standing(work).state if work else None,
    }
