"""What is on the desk: uploads, and the work that worker processes do with them. A folder each, for its owner only.

The server writes what is to be done, the worker how far it is and what came of it; neither writes the other's files.
So nothing is lost when either is killed: the sheet and the job in the journal are there, to go on from.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from musterroll_plugins.web.people import Who
from musterroll_plugins.web.private import ID, make_folder, new_id, open_new, read_json, write_json
from musterroll_plugins.web.slips import has_slips

WRITES = frozenset({"run", "resume", "approve", "undo", "release"})
"""The kinds of work that write: of a customer one at a time, the others wait."""

COPIES = frozenset({"fixed", "annotated"})
"""The kinds of work that make a copy of a sheet, which lies beside it."""

LOOKS = frozenset({"view", "story", "report"})
"""The kinds of work that only look at a job: what is wanted twice at a time is done once, and viewers may want it."""

_WORKER = (sys.executable, "-m", "musterroll_plugins.web.worker")
_AT_ONCE = 2  # worker processes
_MOST = 50  # works that are under way or wait
_STOP_SECONDS = 30.0
_UNUSED_DAYS, _WORK_DAYS, _KEY_DAYS = 7, 2, 30
DAY = 24 * 60 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A sheet that somebody has uploaded, and what they have said of it.

    Attributes:
        id, customer: its id, and whose.
        by: who uploaded it.
        at: when, ISO 8601, UTC.
        name: what its file was called; shown, and never part of a path.
        file: what it is called here.
        profile: the profile; empty for none.
        sets: settings for this time: which column is which.
        asked: whether the person was asked for the columns.
        check: the id of the check's work.
        run: that of the import; None until it was begun.
        began_by: who began the import.
        resumed_by: by the works that have gone on with its job, who wanted them.
    """

    id: str
    customer: str
    by: Who
    at: str
    name: str
    file: str
    profile: str = ""
    sets: tuple[str, ...] = ()
    asked: bool = False
    check: str | None = None
    run: str | None = None
    began_by: Who | None = None
    resumed_by: dict[str, Who] = field(default_factory=dict)

    @classmethod
    def stored(cls, found: Mapping[str, Any]) -> Upload:
        """The upload of a record that was stored."""
        began = found.get("began_by")
        resumed = {work: _who(who) for work, who in found.get("resumed_by", {}).items()}
        people = {"by": _who(found["by"]), "began_by": _who(began) if began else None, "resumed_by": resumed}
        return cls(**{**found, **people, "sets": tuple(found["sets"])})

    @property
    def imported_by(self) -> Who:
        """Who began the import; before that, who uploaded it."""
        return self.began_by or self.by


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Something that a worker process does.

    Attributes:
        id: its id.
        customer: whose.
        kind: `check`, or one of `LOOKS`, `COPIES` and `WRITES`.
        by: who wants it.
        pipeline: the pipeline file; empty for the built-in pipeline.
        profile: the profile; empty for none.
        sets: the `--set` texts.
        upload: the upload that it is about, where it is about one.
        sheet: the path of its sheet.
        job: the job that it is about, where it is about one.
        more: what the kind needs besides, e.g. `{"invites": "new"}`.
    """

    id: str = field(default_factory=new_id)
    customer: str
    kind: str
    by: Who
    pipeline: str
    profile: str = ""
    sets: tuple[str, ...] = ()
    upload: str | None = None
    sheet: str | None = None
    job: str | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def stored(cls, found: Mapping[str, Any]) -> Work:
        """The work of a record that was stored."""
        return cls(**{**found, "by": _who(found["by"]), "sets": tuple(found["sets"])})


def _who(found: Mapping[str, Any] | str) -> Who:
    """Who it is; a name alone is what earlier versions have stored."""
    return Who(found) if isinstance(found, str) else Who(**found)


def copy_of(work: Work) -> Path:
    """Where the copy of a sheet goes that a work makes: beside the sheet, under a name of ours."""
    sheet, keeps = Path(work.sheet or ""), work.more["keeps_passwords"]
    return sheet.with_name(f"{work.kind}{'-with-passwords' if keeps else ''}{sheet.suffix}")


REPORTS = ("html", "csv")
"""The forms of a report that can be taken along."""


def report_of(folder: Path, work: Work) -> Path:
    """Where a report goes that a work makes: into its folder."""
    return folder / f"report.{work.more['form']}"


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a work is.

    Attributes:
        state: `waiting`, `running`, `done`, or `lost`: its process is gone, and nothing came of it.
        stage: what is being done.
        done: steps of it.
        total: of so many; None where nobody knows.
        result: what came of it: `outcome`, `error`, `job`, and what the kind adds.
    """

    state: str
    stage: str = ""
    done: int = 0
    total: int | None = None
    result: dict[str, Any] | None = None


class Desk:
    """Uploads and works.

    Args:
        folder: where they are kept.
        worker: the command of a worker; it is given the folders of its work and of the views.

    Attributes:
        folder: likewise.
        keys: the folder of the Idempotency-Keys that programs have used.
    """

    def __init__(self, folder: Path, worker: Sequence[str] = _WORKER) -> None:
        self._worker = worker
        self.folder = make_folder(folder.absolute())
        self._uploads, self._works = make_folder(self.folder / "uploads"), make_folder(self.folder / "work")
        self._views, self.keys = make_folder(self.folder / "views"), make_folder(self.folder / "keys")
        self._running: dict[str, tuple[Work, asyncio.Task[None]]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    # Uploads

    def new_upload(self, customer: str, by: Who, name: str, suffix: str) -> tuple[Upload, Path]:
        """Makes room for a sheet; returns its record, which is not stored yet, and where it goes."""
        upload = Upload(
            id=new_id(),
            customer=customer,
            by=by,
            at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            name=name,
            file=f"sheet{suffix}",
        )
        return upload, make_folder(self._uploads / upload.id) / upload.file

    def store(self, upload: Upload) -> None:
        """Stores what is known of an upload."""
        write_json(self._uploads / upload.id / "upload.json", asdict(upload))

    def upload(self, customer: str, id_: str) -> Upload | None:
        """A customer's upload; None where there is none of theirs."""
        found = read_json(self._uploads / id_ / "upload.json") if ID.fullmatch(id_) else None
        if found is None or found["customer"] != customer:
            return None
        return Upload.stored(found)

    def uploads(self, customer: str) -> list[Upload]:
        """A customer's uploads, newest first."""
        found = (self.upload(customer, path.name) for path in self._uploads.iterdir())
        return sorted((one for one in found if one), key=lambda one: one.at, reverse=True)

    def sheet_of(self, upload: Upload) -> Path:
        """Where the sheet of an upload is."""
        return self._uploads / upload.id / upload.file

    def upload_of(self, customer: str, sheet: str) -> Upload | None:
        """The upload whose sheet a job has; None where the job began elsewhere, e.g. on the command line."""
        path = Path(sheet)
        return self.upload(customer, path.parent.name) if path.parent.parent == self._uploads else None

    def holds(self, path: Path) -> bool:
        """Whether a file is in the folder of an upload."""
        return path.parent.parent == self._uploads and path.is_file() and not path.is_symlink()

    def discard(self, upload: Upload) -> None:
        """Forgets an upload, with its sheet, the copies of it, and what was found in it."""
        shutil.rmtree(self._uploads / upload.id, ignore_errors=True)
        for folder in self._works.iterdir():
            if (read_json(folder / "work.json") or {}).get("upload") == upload.id:
                shutil.rmtree(folder, ignore_errors=True)

    # Work

    def begin(self, work: Work) -> Work:
        """Lets a worker process do something, as soon as it is its turn."""
        write_json(make_folder(self._works / work.id) / "work.json", asdict(work))
        task = asyncio.get_running_loop().create_task(self._do(work))
        self._running[work.id] = work, task
        task.add_done_callback(lambda _: self._running.pop(work.id, None))
        return work

    def under_way(self, like: Work) -> Work | None:
        """The work that does the same already; None where none does."""
        found = (one for one, _ in self._running.values())
        return next((one for one in found if replace(one, id=like.id, by=like.by) == like), None)

    def writes_to(self, customer: str, job: str) -> Work | None:
        """The work that writes to a job, or waits until it can; None where none does."""
        found = (one for one, _ in self._running.values() if one.kind in WRITES)
        about = (one for one in found if (one.customer, one.job) == (customer, job))
        return next((one for one in about if self.standing(one).state != "done"), None)

    @property
    def is_full(self) -> bool:
        """Whether so much is under way, or waits, that nothing more is begun."""
        return len(self._running) >= _MOST

    async def _do(self, work: Work) -> None:
        turn = self._turns[work.customer] if work.kind in WRITES else asyncio.Lock()
        async with turn, self._slots:
            folder = self._works / work.id
            if self.is_cancelled(work):
                return
            with open_new(folder / "log") as log:
                try:
                    process = await asyncio.create_subprocess_exec(
                        *self._worker,
                        str(folder),
                        str(self._views),
                        stdin=asyncio.subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        # Ctrl-C at the server's terminal is for the server, which asks its workers to end.
                        start_new_session=os.name != "nt",
                    )
                except OSError as error:
                    print(f"a worker cannot be started: {error}", file=sys.stderr, flush=True)
                    return
            await process.wait()

    def work(self, customer: str, id_: str) -> Work | None:
        """A customer's work; None where there is none of theirs."""
        found = read_json(self._works / id_ / "work.json") if ID.fullmatch(id_) else None
        if found is None or found["customer"] != customer:
            return None
        return Work.stored(found)

    def standing(self, work: Work) -> Standing:
        """How far a work is."""
        folder = self._works / work.id
        is_ours = work.id in self._running  # looked at first: it may end meanwhile
        result = read_json(folder / "result.json")
        if result is not None:
            return Standing("done", result=result)
        now = read_json(folder / "progress.json")
        if now is None and is_ours:
            return Standing("waiting")
        if not is_ours and not self._is_alive(folder):
            return Standing("lost")
        now = now or {"stage": "", "done": 0, "total": None}
        return Standing("running", now["stage"], now["done"], now["total"])

    def _is_alive(self, folder: Path) -> bool:
        """Whether the worker that an earlier server began is still at work: as long as it lives it holds a lock."""
        if not (folder / "lock").exists():
            return False
        lock = FileLock(folder / "lock", blocking=False)
        try:
            lock.acquire()
        except Timeout:
            return True
        lock.release()
        return read_json(folder / "result.json") is not None  # it has ended just now

    def is_imported(self, upload: Upload) -> bool:
        """Whether an upload is being imported, or has become a job; not where its import came to nothing."""
        if upload.run is None or has_slips(self.sheet_of(upload)):
            return has_slips(self.sheet_of(upload))  # whatever became of the worker
        if (work := self.work(upload.customer, upload.run)) is None:
            return True
        standing = self.standing(work)
        return standing.state in ("waiting", "running") or bool(standing.result and standing.result["job"])

    def cancel(self, work: Work) -> None:
        """Asks a worker to end: at once before the first write, after that when what is under way is done."""
        (self._works / work.id / "cancel").touch(mode=0o600)

    def is_cancelled(self, work: Work) -> bool:
        """Whether somebody has asked a worker to end."""
        return (self._works / work.id / "cancel").exists()

    def document(self, work: Work) -> Path:
        """The JSON document of a work that is done."""
        return self._works / work.id / "document.json"

    def report(self, work: Work) -> Path:
        """The report that a work has made."""
        return report_of(self._works / work.id, work)

    def view_of(self, work: Work) -> Path:
        """The view of a check."""
        return self._works / work.id / "view.db"

    def view_of_job(self, customer: str, job: str) -> Path:
        """The view of a job."""
        return self._views / f"{customer}-{job}.db"

    async def close(self) -> None:
        """Asks every worker to end, and waits for them; a job that is cut off can be gone on with."""
        for id_ in self._running:
            with suppress(OSError):
                (self._works / id_ / "cancel").touch(mode=0o600)
        if self._running:
            await asyncio.wait([task for _, task in self._running.values()], timeout=_STOP_SECONDS)

    # Order

    def tidy(self, jobs: dict[str, list[tuple[str, str]]]) -> None:
        """Takes away what nobody needs: uploads that were never imported, and those whose job is forgotten by now.

        Args:
            jobs: by customer, each job of the journal as (id, path of its sheet).
        """
        used = {Path(sheet).parent.name for of_customer in jobs.values() for _, sheet in of_customer}
        for path in self._old(self._uploads, _UNUSED_DAYS):
            if path.name not in used:
                shutil.rmtree(path, ignore_errors=True)
        for path in self._old(self._works, _WORK_DAYS):
            shutil.rmtree(path, ignore_errors=True)
        for path in self._old(self.keys, _KEY_DAYS):
            path.unlink(missing_ok=True)
        kept = {self.view_of_job(customer, id_).name for customer, found in jobs.items() for id_, _ in found}
        for path in self._old(self._views, 1):  # a new one may be of a job that has begun since they were listed
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def _old(self, folder: Path, days: int) -> Iterator[Path]:
        limit = time.time() - days * DAY
        for path in list(folder.iterdir()):
            with suppress(OSError):
                if path.stat().st_mtime < limit and path.name not in self._running:
                    yield path
