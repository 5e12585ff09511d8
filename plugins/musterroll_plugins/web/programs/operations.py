"""What the API can do: one table, from which its routes and its OpenAPI document are made."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from musterroll_plugins.web.desk import COPIES, REPORTS
from musterroll_plugins.web.people import Role
from musterroll_plugins.web.programs import checks, customers, jobs, sheets
from musterroll_plugins.web.programs.openapi import Operation, openapi
from musterroll_plugins.web.programs.schemas import TEXT, Schema
from musterroll_plugins.web.site import Visit
from musterroll_plugins.web.uploads import FORMATS, blank_sheet
from musterroll_plugins.web.words import INVITES

_UNKNOWN = {401: "No token that is known.", 429: "Too many tokens were tried."}
_REFUSED = {**_UNKNOWN, 403: "The token's role does not do.", 404: "There is none for this token."}
_MISTAKES = {503: "The pipeline has mistakes, or too much waits already."}
_NOT_NOW = {409: "That cannot be done with it now.", **_MISTAKES}
_NOT_RIGHT = {400: "The body cannot be read.", 413: "It is too large.", 422: "What is sent is not right."}
_DELETED = {410: "They are deleted, and nobody can get them again."}
_NOT_TAKEN = {**_NOT_RIGHT, 415: "That is no sheet.", 429: "Too many tokens were tried, or too many uploads wait."}

_PAGE: dict[str, Schema] = {"page": {"type": "integer", "minimum": 1}}
_SEVERITY: dict[str, Schema] = {"severity": {"enum": ["error", "warning"]}}
_YES: Schema = {"enum": ["yes"]}


async def description(visit: Visit) -> Response:
    """The OpenAPI document."""
    return JSONResponse(openapi(OPERATIONS))


def _about_customer() -> list[Operation]:
    one, viewer, importer = "/api/customers/{customer}", Role.VIEWER, Role.IMPORTER
    begun = {202: "begun", **_REFUSED, **_NOT_NOW, **_NOT_TAKEN}
    return [
        Operation(
            "GET",
            "/api/customers",
            customers.customers,
            None,
            "The customers for whom the token has a role.",
            {200: "customers", **_UNKNOWN},
        ),
        Operation(
            "GET",
            one,
            customers.customer,
            viewer,
            "How a customer's sheets look, and where their imports can go.",
            {200: "customer", **_REFUSED, **_MISTAKES},
        ),
        Operation(
            "GET",
            f"{one}/blank/{{form}}",
            blank_sheet,
            viewer,
            f"The blank sheet to fill in: {', '.join(FORMATS)}.",
            {200: "file", **_REFUSED, **_MISTAKES},
        ),
        Operation(
            "GET",
            f"{one}/jobs",
            jobs.all_jobs,
            viewer,
            "The jobs, newest first.",
            {200: "jobs", **_REFUSED, **_MISTAKES},
            query=_PAGE,
        ),
        Operation(
            "GET",
            f"{one}/uploads",
            customers.uploads,
            importer,
            "The sheets that are not imported yet, newest first.",
            {200: "uploads", **_REFUSED, **_MISTAKES},
            query=_PAGE,
        ),
        Operation(
            "POST",
            f"{one}/jobs",
            sheets.begin_job,
            importer,
            "Imports a sheet (multipart/form-data, `sheet`), or rows (JSON). Takes an Idempotency-Key.",
            begun,
            body="sheet",
        ),
        Operation(
            "POST",
            f"{one}/checks",
            sheets.begin_check,
            importer,
            "Says what an import would do, with all problems; writes nothing.",
            begun,
            body="sheet",
        ),
    ]


def _to_look_at() -> list[Operation]:
    """What there is to see of a check or of a job; while it is not there yet, 202 says how far it is."""
    one, viewer = "/api/jobs/{job}", Role.VIEWER
    standing = {202: "standing", **_REFUSED, **_NOT_NOW}
    begun = {202: "begun", **_REFUSED, **_NOT_NOW}
    return [
        Operation(
            "GET",
            one,
            jobs.one_job,
            viewer,
            "The JSON document of a job, or of what this API has begun.",
            {200: "document", 202: "standing", **_REFUSED, **_MISTAKES},
        ),
        Operation(
            "GET",
            f"{one}/events",
            jobs.events,
            viewer,
            "How far it is, as server-sent events.",
            {200: "events", **_REFUSED, **_MISTAKES},
        ),
        Operation(
            "GET",
            f"{one}/overview",
            jobs.overview,
            viewer,
            "The numbers of a check or a job, and what can be done with it.",
            {200: "overview", **standing},
        ),
        Operation(
            "GET",
            f"{one}/rows",
            jobs.rows,
            viewer,
            "The rows, by what becomes of them (outcome), and by username or number (q).",
            {200: "rows", **standing},
            query={**_PAGE, "q": TEXT, "outcome": TEXT},
        ),
        Operation(
            "GET",
            f"{one}/problems",
            jobs.problems,
            viewer,
            "The problems one by one.",
            {200: "problems", **standing},
            query={**_PAGE, **_SEVERITY, "code": TEXT, "field": TEXT},
        ),
        Operation(
            "GET",
            f"{one}/causes",
            jobs.causes,
            viewer,
            "The problems by their cause.",
            {200: "causes", **standing},
            query={**_PAGE, **_SEVERITY},
        ),
        Operation(
            "GET",
            f"{one}/failures",
            jobs.failures,
            viewer,
            "What was not done, and which invites are held (status=held).",
            {200: "failures", **standing},
            query={**_PAGE, "status": TEXT},
        ),
        Operation(
            "GET",
            f"{one}/rows/{{row:int}}",
            jobs.story,
            viewer,
            "Begins to read the story of a row; its document is that of `jobs show --row`.",
            begun,
        ),
        Operation(
            "POST",
            f"{one}/reports/{{form}}",
            jobs.report,
            viewer,
            f"Has the report of a job written: {', '.join(REPORTS)}. The file of its id is it.",
            begun,
        ),
        Operation(
            "GET",
            f"{one}/file",
            jobs.file,
            viewer,
            "The copy of a sheet, or the report, that was made.",
            {200: "file", **_REFUSED, **_MISTAKES},
        ),
        Operation(
            "GET",
            f"{one}/rejected",
            jobs.rejected,
            Role.IMPORTER,
            "The rows that a job left out, as a sheet to be corrected.",
            {200: "file", **_REFUSED, **_NOT_NOW},
        ),
    ]


def _about_check() -> list[Operation]:
    one, importer = "/api/jobs/{job}", Role.IMPORTER
    begun = {202: "begun", **_REFUSED, **_NOT_NOW}
    return [
        Operation(
            "GET",
            f"{one}/columns",
            checks.columns,
            importer,
            "The columns of a sheet that was checked, and what they seem to be, where not all say so.",
            {200: "columns", **_REFUSED, **_NOT_NOW},
        ),
        Operation(
            "POST",
            f"{one}/columns",
            checks.set_columns,
            importer,
            "Says which column is what, or which worksheet is meant, and checks again.",
            {**begun, **_NOT_RIGHT},
            body="columns",
        ),
        Operation(
            "POST",
            f"{one}/copies/{{copy}}",
            checks.copy,
            importer,
            f"Has a copy of the sheet made: {', '.join(sorted(COPIES))} (with passwords=yes with them)."
            " The file of its id is it.",
            begun,
            query={"passwords": _YES},
        ),
        Operation(
            "POST",
            f"{one}/check",
            checks.check_again,
            importer,
            "Checks the sheet once more: the portal may have changed. Takes the id of an upload, too.",
            begun,
        ),
        Operation(
            "POST",
            f"{one}/import",
            checks.import_check,
            importer,
            "Imports what a check has shown; with invites=… as said, else as the pipeline says.",
            {**begun, 422: _NOT_RIGHT[422]},
            query={"invites": {"enum": list(INVITES)}},
        ),
        Operation(
            "POST",
            f"{one}/discard",
            checks.discard_check,
            importer,
            "Forgets a sheet that was not imported. Takes the id of an upload, too.",
            {200: "discarded", **_REFUSED, **_NOT_NOW},
        ),
    ]


def _to_be_done() -> list[Operation]:
    importer, begun = Role.IMPORTER, {202: "begun", **_REFUSED, **_NOT_NOW}
    table: tuple[tuple[str, Role, str, dict[str, Schema]], ...] = (
        ("resume", importer, "Goes on with a job that was cut off.", {}),
        ("approve", Role.APPROVER, "Lets a job past the limits that stopped it; not by who began it.", {}),
        ("undo", importer, "Takes back what a job did.", {}),
        ("release", importer, "Sends held invites again; with as_sent=yes they count as sent.", {"as_sent": _YES}),
    )
    slips = "/api/jobs/{job}/passwords/{slips}"
    return [
        Operation(
            "POST",
            slips,
            jobs.slips,
            importer,
            "First passwords that no invite tells, as slips to print; for who has begun the job, or gone on with it.",
            {200: "file", **_REFUSED, **_NOT_NOW, **_DELETED},
        ),
        Operation(
            "POST",
            f"{slips}/csv",
            jobs.slips_table,
            importer,
            "The same as a table, for letters that another program writes.",
            {200: "file", **_REFUSED, **_NOT_NOW, **_DELETED},
        ),
        Operation(
            "POST",
            f"{slips}/delete",
            jobs.delete_slips,
            importer,
            "Deletes such slips, when they are printed: nothing else holds these passwords.",
            {200: "deleted", **_REFUSED, **_NOT_NOW, **_DELETED},
        ),
        Operation(
            "POST",
            "/api/jobs/{job}/cancel",
            jobs.cancel,
            importer,
            "Ends what is under way, in order.",
            {202: "begun", **_REFUSED, **_MISTAKES},
        ),
        *(
            Operation("POST", f"/api/jobs/{{job}}/{name}", jobs.act, role, summary, begun, query=query)
            for name, role, summary, query in table
        ),
    ]


OPERATIONS = (
    *_about_customer(),
    *_to_look_at(),
    *_about_check(),
    *_to_be_done(),
    Operation("GET", "/api/openapi.json", description, None, "This document.", {200: "openapi", **_UNKNOWN}),
)
"""The operations."""
