"""The file of rejected rows: where it goes, and that it is there before anything is written to the portal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b, file_digest
from itertools import chain, count, islice
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple, cast

from musterroll.contract.cells import SheetRow
from musterroll.contract.components import ReaderType
from musterroll.contract.drafts import Draft
from musterroll.contract.edits import CellEdit
from musterroll.contract.options import Options
from musterroll.contract.translation import gettext
from musterroll.errors import Label, MusterrollError, UsageError
from musterroll.journal.job import Job, JobRecord, read_jobs
from musterroll.journal.journal import Journal
from musterroll.journal.rejected_rows import rejected_rows
from musterroll.journal.roster import Roster
from musterroll.pipeline.pipeline import Instance, Pipeline
from musterroll.sheet.open_sheet import OpenSheet
from musterroll.written.column_guide import ColumnGuide
from musterroll.written.new_sheet import WritableFormat, format_of_name, writable_formats, write_draft
from musterroll.written.rejected_sheet import RejectedSheet

_OPTION = "--rejected"
_MOST_MARKS = 5_000  # programs take long to open a workbook with more notes; the reasons are in their column anyway
_SIMPLE = "csv"  # what the rows are written as where nothing writes the sheet's own format
_AROUND = 3  # the journal's folder, that of the pipeline, and what is beside it
_EARLIER = re.compile(r"(.+)\.rejected(-\d+)?")


def check_place(pipeline: Pipeline, wanted: Path | None) -> None:
    """Checks before any work is done whether the rejected rows can go where a person wants them.

    Raises:
        UsageError: they cannot.
    """
    if wanted is None:
        return
    if pipeline.settings.on_error == "abort":
        raise UsageError(
            gettext(
                '{option} is for on_error = "skip", e.g. --set on_error=skip; as it is, one bad row keeps '
                "everything out",
                option=_OPTION,
            )
        )
    format_of_name(pipeline, wanted, _OPTION)
    if wanted.exists():
        raise UsageError(
            gettext("{option} {wanted}: there is such a file already; name another", option=_OPTION, wanted=wanted),
            code="output.exists",
        )


class RejectedFile(NamedTuple):
    """A file of rejected rows: its absolute path, and digests of what it says and of the file itself."""

    path: Path
    says: str


@contextmanager
def rejected_file(
    pipeline: Pipeline, job: Job, sheet: Path, wanted: Path | None, *, keep_passwords: bool = False
) -> Iterator[RejectedFile]:
    """Writes the rejected rows of a planned job to a file; takes it away again if what is done inside fails.

    Where the last such file of this sheet says the same still, that one counts.

    Args:
        pipeline: the pipeline.
        job: the job; its plan has the problems.
        sheet: where the sheet is now.
        wanted: where the rows go; None for a new file beside the sheet.
        keep_passwords: whether the passwords are in it, so that nobody has to type them again.

    Yields:
        The file.

    Raises:
        MusterrollError: it cannot be written.
        RefusedError: the sheet has changed since it was planned.
    """
    opened = OpenSheet(pipeline, sheet)
    form = _format(pipeline, opened) if wanted is None else format_of_name(pipeline, wanted, _OPTION)
    paths = _names(opened.source.beside, form) if wanted is None else (wanted,)
    record = job.record
    said = blake2b(digest_size=16, key=Roster(job.journal, record.pipeline, record.identity).salt)
    with _draft(pipeline, job, record, opened, form, said, keep_passwords=keep_passwords) as (draft, marks):
        try:
            path = write_draft(pipeline, form, draft, paths, private=True, replace=False, marks=marks).absolute()
        except MusterrollError as error:
            raise MusterrollError(
                gettext(
                    "the rejected rows cannot be kept, so nothing was written: {message} (name another file with "
                    "{option})",
                    message=error.message,
                    option=_OPTION,
                ),
                code=error.code,
            ) from error.__cause__
    digest = said.hexdigest()
    if wanted is None and (last := _last_that_says(job, record, digest, path.suffix)) is not None:
        path.unlink()
        yield last
        return
    try:
        yield RejectedFile(path, f"{digest}:{_digest_of(path)}")
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def remove_rejected_file(job: Job) -> None:
    """Takes the file of a job away that did not happen after all, unless an earlier job has the same one."""
    path = job.record.rejected_file
    if path is not None and not job.shares_rejected_file():
        with suppress(OSError):
            Path(path).unlink()


def remove_unchanged(journal: Journal, job: JobRecord) -> None:
    """Takes the file of a forgotten job away, unless somebody has changed it since."""
    for path in places_of(journal, job):
        if _is_as_written(job, path):
            with suppress(OSError):
                path.unlink()


class RejectedPlaces(NamedTuple):
    """Where a file of rejected rows is, as far as anybody can tell.

    Attributes:
        ours: the files that it certainly is: where it was written, or as it was written in a folder that was moved.
        others: files that have its name where it would be in a folder that was moved, and say something else.
    """

    ours: tuple[Path, ...]
    others: tuple[Path, ...]


def find_rejected(journal: Journal, jobs: Sequence[JobRecord]) -> RejectedPlaces:
    """Finds the file of rejected rows of jobs that have one and the same.

    Args:
        journal: of the jobs. The file may have been moved with it.
        jobs: the jobs.
    """
    found = list(places_of(journal, jobs[0]))
    written = Path(jobs[0].rejected_file or "")
    ours = tuple(path for path in found if path == written or any(_is_as_written(job, path) for job in jobs))
    return RejectedPlaces(ours, tuple(path for path in found if path not in ours))


def places_of(journal: Journal, job: JobRecord) -> Iterator[Path]:
    """Yields the files that may be the rejected rows of a job, that where they were written first.

    A folder that was moved has the journal in it, so that the end of the path leads to the file from there.
    """
    if job.rejected_file is None:
        return
    written = Path(job.rejected_file)
    seen: set[tuple[int, int]] = set()
    folders = list(islice(journal.path.absolute().parents, _AROUND)) if journal.path is not None else []
    ends = [written.parts[-length:] for length in range(1, len(written.parts))]
    for path in (written, *(folder.joinpath(*end) for folder in folders for end in ends)):
        identity = _identity(path)
        if identity is not None and identity not in seen:
            seen.add(identity)
            yield path


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from every other one; None where there is none, or where nobody may look."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return (status.st_dev, status.st_ino) if S_ISREG(status.st_mode) else None


def _is_as_written(job: JobRecord, path: Path) -> bool:
    return job.rejected_says is not None and job.rejected_says.endswith(f":{_digest_of(path)}")


def note_changed_file(journal: Journal, was: str, path: Path) -> None:
    """Notes that we changed a file of rejected rows ourselves: it says something else now, and is still ours.

    Args:
        journal: of the jobs whose file it is.
        was: where they say that it is.
        path: where it is.
    """
    for record in read_jobs(journal, "rejected_says IS NOT NULL"):
        if record.rejected_file == was:
            Job(journal, record.id).set_rejected_file(path, f":{_digest_of(path)}")


def _last_that_says(job: Job, record: JobRecord, digest: str, suffix: str) -> RejectedFile | None:
    """The file of the last job that has rejected rows of a sheet in this folder, if it says the same still."""
    folder = Path(record.sheet.path).parent
    for other in read_jobs(job.journal, "id <> ? AND rejected_says IS NOT NULL", (job.id,)):
        if Path(other.sheet.path).parent == folder:  # a sheet may have a date in its name
            path, says = Path(other.rejected_file or ""), f"{digest}:{_digest_of(Path(other.rejected_file or ''))}"
            return RejectedFile(path, says) if path.suffix == suffix and other.rejected_says == says else None
    return None


def _digest_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _format(pipeline: Pipeline, opened: OpenSheet) -> WritableFormat:
    formats = {one.name: one for one in writable_formats(pipeline)}
    found = formats.get(opened.summary.reader) or formats.get(_SIMPLE)
    if found is None:  # a pipeline whose one reader has no writer
        component = cast("ReaderType[Options]", pipeline.registry.find("reader", _SIMPLE))
        label = Label(f"readers.{_SIMPLE}", pipeline.registry.plugin_of(component).short)
        found = WritableFormat.of(Instance(label, component, component.options()))
        assert found is not None
    return found


def _names(sheet: Path, form: WritableFormat) -> Iterator[Path]:
    """Yields `staff.rejected.xlsx`, `staff.rejected-2.xlsx`, … beside the sheet, also where it is such a file."""
    earlier = _EARLIER.fullmatch(sheet.stem)
    name = f"{earlier[1] if earlier else sheet.stem}.rejected"
    suffix = sheet.suffix if form.suits(sheet) else form.suffix
    yield sheet.with_name(f"{name}{suffix}")
    for number in count(2):
        yield sheet.with_name(f"{name}-{number}{suffix}")


@contextmanager
def _draft(
    pipeline: Pipeline,
    job: Job,
    record: JobRecord,
    opened: OpenSheet,
    form: WritableFormat,
    said: blake2b,
    *,
    keep_passwords: bool,
) -> Iterator[tuple[Draft, Callable[[], Iterator[CellEdit]] | None]]:
    """Yields the rows, and what makes the marks at their cells, as often as it is asked, where the format shows any."""
    settings = pipeline.settings.sheet
    with opened.as_it_is(record.sheet.sha256) as (info, rows):
        top: list[SheetRow] = []
        for row in rows:
            top.append(row)
            if row.number >= settings.heading_row:
                break
        headings = next((row.cells for row in top if row.number == settings.heading_row), ())
        sheet = RejectedSheet(
            headings,
            settings,
            pipeline.fields,
            ColumnGuide(pipeline),
            opened.source.name,
            plain_text=info.is_plain_text,
            translated=info.is_plain_text and form.name != opened.summary.reader,
            keep_passwords=keep_passwords,
        )

        def marks() -> Iterator[CellEdit]:
            with opened.as_it_is(record.sheet.sha256) as (_, again):
                yield from islice(sheet.marks(again, rejected_rows(job.journal, job.id)), _MOST_MARKS)

        draft = Draft(
            columns=sheet.columns,
            heading_row=settings.heading_row,
            first_row=settings.first_row,
            rows=_noted(sheet.rows(chain(top, rows), rejected_rows(job.journal, job.id)), said),
            worksheet=info.worksheet,
            like=opened.source,
        )
        is_plain = form.name == _SIMPLE or (info.is_plain_text and form.name == opened.summary.reader)
        yield draft, None if is_plain else marks


def _noted(rows: Iterator[SheetRow], said: blake2b) -> Iterator[SheetRow]:
    """Passes rows on and takes down what they say."""
    for row in rows:
        said.update(repr(row).encode("utf-8", "surrogatepass"))
        yield row
