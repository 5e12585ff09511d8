"""`--report`: a report kept in a file, of the form that the file's ending says."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

from musterroll.contract.translation import gettext
from musterroll.errors import MusterrollError, UsageError
from musterroll.reports.forms import junit, markdown, page, table
from musterroll.reports.report import Report
from musterroll.written.new_file import NewFile, begins_with, why_not


class _Form(NamedTuple):
    """A form of reports: the ending of such a file, what it begins with, and what writes it."""

    ending: str
    opening: str
    write: Callable[[TextIO, Report, str], None]


_FORMS = (
    _Form(".html", page.OPENING, page.write_page),
    _Form(".csv", table.OPENING, table.write_table),
    _Form(".junit.xml", junit.OPENING, junit.write_junit),
    _Form(".md", markdown.OPENING, markdown.write_markdown),
)


@dataclass(frozen=True, slots=True)
class ReportTarget:
    """A file for a report. With `replace` an older report there is written over, but nothing else ever is."""

    path: Path
    replace: bool = False

    def check(self) -> None:
        """Looks before any work is done whether a report can go there.

        Raises:
            UsageError: no form has that ending, or something is in the way.
            MusterrollError: there is no such folder.
        """
        form = self._form()
        if self.path.is_dir():
            raise UsageError(gettext("{path} is a folder; name a file in it", path=self.path), code="output.exists")
        if not self.path.parent.is_dir():
            raise self._unwritable(gettext("there is no folder {folder}", folder=self.path.parent))
        if not self.path.exists() and not self.path.is_symlink():
            return
        if not self.replace:
            raise self._taken()
        if not begins_with(self.path, form.opening.encode()):
            raise UsageError(
                gettext(
                    "{path} is no report of this kind, so it is not overwritten; name another file", path=self.path
                ),
                code="output.exists",
            )

    def write(self, report: Report) -> None:
        """Writes a report for the owner only, whole or not at all.

        Raises:
            UsageError: there is such a file by now.
            MusterrollError: it cannot be written.
        """
        form, made = self._form(), dt.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")

        def write(file: BinaryIO) -> None:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            form.write(text, report, made)
            text.detach()  # with all that it has still to write

        try:
            with NewFile(self.path.parent, private=True) as file:
                file.fill(write)
                if not file.becomes(self.path, replace=self.replace):
                    raise self._taken()
        except OSError as error:
            raise self._unwritable(why_not(error, self.path)) from None

    def _form(self) -> _Form:
        name = self.path.name.lower()
        for form in _FORMS:
            if name.endswith(form.ending):
                return form
        endings = ", ".join(form.ending for form in _FORMS)
        raise UsageError(
            gettext(
                "--report {path}: the ending of the name says what the report looks like; these are: {endings}",
                path=self.path,
                endings=endings,
            ),
            code="output.unsupported",
        )

    def _taken(self) -> UsageError:
        return UsageError(
            gettext("{path} exists already; --force overwrites an older report, or name another file", path=self.path),
            code="output.exists",
        )

    def _unwritable(self, reason: str) -> MusterrollError:
        return MusterrollError(
            gettext("{path} cannot be written: {reason}", path=self.path, reason=reason), code="output.unwritable"
        )
