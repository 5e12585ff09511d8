"""A program brings a sheet, or rows: to be imported, or only to be checked."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from musterroll import did_you_mean
from musterroll.engine import Pipeline, template
from musterroll_plugins.web.columns import with_columns
from musterroll_plugins.web.desk import Upload
from musterroll_plugins.web.private import read_json, write_json
from musterroll_plugins.web.programs.answers import SHOWN, accepted, json_object, no_field
from musterroll_plugins.web.programs.schemas import KEY, LONGEST, WITH_ROWS, WITH_SHEET
from musterroll_plugins.web.site import Visit, refuse_doubles
from musterroll_plugins.web.uploads import check, discard_former, in_place_of, take
from musterroll_plugins.web.words import INVITES

_FIELDS = 20


async def begin_job(visit: Visit) -> Response:
    """Takes a sheet or rows, and imports them."""
    return await _begin(visit, "run")


async def begin_check(visit: Visit) -> Response:
    """Takes a sheet or rows, and says what would become of them."""
    return await _begin(visit, "check")


@dataclass(frozen=True, slots=True)
class _Sent:
    """What a program has sent.

    Attributes:
        name: what the sheet's file is called; `rows.json` for rows.
        content: what is in it.
        wanted: what else is said, of `WITH_SHEET`.
    """

    name: str
    content: bytes
    wanted: dict[str, Any]

    def text(self, name: str) -> str:
        """A text that is said; empty where it is not."""
        value: str = self.wanted.get(name, "")
        return value

    def digest(self, kind: str) -> str:
        """What is sent twice under one key must be the same both times."""
        said = json.dumps([kind, self.name, sorted(self.wanted.items())])
        return hashlib.sha256(said.encode() + self.content).hexdigest()


async def _begin(visit: Visit, kind: str) -> Response:
    desk, key = visit.site.desk, _key(visit)
    pipeline, sent = await visit.pipeline(), await _sent(visit)
    _refuse_wrong(sent.wanted, kind)
    same, place = sent.digest(kind), _place_of_key(visit, key) if key else None
    if place is not None and (former := read_json(place)) is not None:
        if former["same"] != same:
            raise HTTPException(422, "this Idempotency-Key was used for something else")
        return accepted(former["work"])
    replaced = _replaced(visit, sent.text("after"))
    if profile := sent.text("profile"):
        if profile not in (profiles := visit.customer.profiles):
            hint = did_you_mean(profile[:SHOWN], profiles)
            raise HTTPException(422, f'there is no profile "{profile[:SHOWN]}"{hint}')
        pipeline = await visit.pipeline(profile)
    said = _columns(pipeline, sent)
    name, content = sent.name, sent.content
    if name.endswith(".json"):
        name, content = "rows.csv", await run_in_threadpool(_as_csv, pipeline, content)
    upload = await take(visit, name, io.BytesIO(content), profile=profile)
    # No await from here on: of two requests with one key the second finds what the first one has begun.
    if place is not None and (former := read_json(place)) is not None:
        desk.discard(upload)
        return accepted(former["work"])
    upload = in_place_of(replaced, upload)
    if said is not None:
        upload = with_columns(upload, pipeline, *said)
    id_ = _check(visit, upload, replaced) if kind == "check" else _run(visit, upload, sent)
    if place is not None:
        write_json(place, {"same": same, "work": id_})
    return accepted(id_)


def _check(visit: Visit, upload: Upload, replaced: Upload | None) -> str:
    begun = check(visit, upload).check
    discard_former(visit, replaced)
    assert begun is not None
    return begun


def _run(visit: Visit, upload: Upload, sent: _Sent) -> str:
    work = visit.begin_with(upload, "run", {"invites": sent.wanted.get("invites")})
    visit.site.desk.store(replace(upload, run=work.id, began_by=work.by))
    visit.note("run", upload.id)
    return work.id


def _key(visit: Visit) -> str:
    keys = visit.request.headers.getlist("idempotency-key")
    if len(keys) > 1:
        raise HTTPException(422, "there is more than one Idempotency-Key")
    if keys and len(keys[0]) > KEY:
        raise HTTPException(422, f"an Idempotency-Key has at most {KEY} characters")
    return keys[0] if keys else ""


def _place_of_key(visit: Visit, key: str) -> Path:
    whose = json.dumps([visit.name, visit.person.name, key])
    return visit.site.desk.keys / f"{hashlib.sha256(whose.encode()).hexdigest()}.json"


async def _sent(visit: Visit) -> _Sent:
    kind = visit.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        said = json_object(await visit.request.body())
        if not {*said} <= {"rows", *WITH_ROWS} or not isinstance(said.get("rows"), list):
            raise HTTPException(
                422, f'write {{"rows": [{{"username": "ana", …}}]}}, and with it {", ".join(WITH_ROWS)}'
            )
        wanted = {name: value for name, value in said.items() if name != "rows" and value is not None}
        return _Sent("rows.json", json.dumps(said["rows"]).encode(), wanted)
    if kind != "multipart/form-data":
        raise HTTPException(415, "send multipart/form-data with a file `sheet`, or application/json with `rows`")
    async with visit.request.form(max_files=1, max_fields=_FIELDS, max_part_size=16 * 1024) as form:
        refuse_doubles(form)
        visit.form_sent = form
        sheet = visit.file("sheet")
        if sheet is None or sheet.filename is None:
            raise HTTPException(422, "there is no file `sheet`")
        wanted = {name: visit.text(name) for name in WITH_SHEET if name in form}
        if "columns" in wanted:
            wanted["columns"] = json_object(wanted["columns"].encode("utf-8", "replace"), "columns")
        name = sheet.filename
        return _Sent(name if not name.endswith(".json") else f"{name}_", await sheet.read(), wanted)


def _refuse_wrong(wanted: Mapping[str, Any], kind: str) -> None:
    if not all(isinstance(value, str) for name, value in wanted.items() if name != "columns"):
        raise HTTPException(422, "profile, invites, worksheet and after are texts")
    if wanted.get("invites", "none") not in INVITES:
        raise HTTPException(422, f"invites is one of {', '.join(INVITES)}")
    if kind == "run" and "after" in wanted:
        raise HTTPException(422, "after is for checks: what takes a checked sheet's place is checked, too")
    columns = wanted.get("columns", {})
    if not isinstance(columns, dict) or not all(isinstance(value, str) for value in columns.values()):
        raise HTTPException(422, 'columns is an object: {"username": "Login", …}, a heading for a field')
    if any(
        len(value) > LONGEST or not value.isprintable() for value in (wanted.get("worksheet", ""), *columns.values())
    ):
        raise HTTPException(422, f"a heading, and the name of a worksheet, is a line of at most {LONGEST} characters")


def _replaced(visit: Visit, after: str) -> Upload | None:
    """The upload whose place the sheet takes: that of a check."""
    if not after:
        return None
    work = visit.site.desk.work(visit.name, after)
    upload = visit.site.desk.upload(visit.name, (work.upload or "") if work else "")
    if upload is None:
        raise HTTPException(422, "after is the id of a check of this customer")
    return upload


def _columns(pipeline: Pipeline, sent: _Sent) -> tuple[dict[str, Any], dict[str, str]] | None:
    """What is said of worksheet and columns; None where nothing is."""
    columns, worksheet = sent.wanted.get("columns", {}), sent.text("worksheet")
    if not columns and not worksheet:
        return None
    names = [one.name for one in pipeline.fields.values() if not one.omitted]
    if unknown := sorted(columns.keys() - {*names}):
        raise no_field("columns", unknown[0], names)
    return {"worksheet": worksheet} if worksheet else {}, columns


def _as_csv(pipeline: Pipeline, content: bytes) -> bytes:
    """Rows as the sheet of the pipeline, so that a job of rows is one like every other."""
    rows, names = json.loads(content), [one.name for one in pipeline.fields.values() if one.has_column]
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or not all(isinstance(value, str) for value in row.values()):
            raise HTTPException(422, f"row {number} of rows is no object whose values are texts")
        if unknown := sorted(row.keys() - {*names}):
            raise no_field(f"row {number} of rows", unknown[0], names)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        template(pipeline, path, form="csv", users=rows)
        return path.read_bytes()
