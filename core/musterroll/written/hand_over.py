"""The file that first passwords are handed over in: a table, or a page to print with a slip a person."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import BinaryIO, NamedTuple

from musterroll.contract.fields import PASSWORD, USERNAME, FieldSet
from musterroll.contract.secret import Secret
from musterroll.contract.text import no_formula
from musterroll.contract.translation import gettext
from musterroll.errors import MusterrollError, UsageError
from musterroll.written.new_file import NewFile, why_not

OPTION = "--hand-over"
_TOLD = "told"
_STYLE = """
@page { margin: 12mm; }
body { font: 12pt/1.5 sans-serif; margin: 0; color: #000; background: #fff; }
section { border: 1px dashed #888; padding: 5mm 8mm; margin: 0 0 -1px; break-inside: avoid; }
h2 { font-size: 13pt; margin: 0 0 2mm; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 6mm; margin: 0; }
dd { margin: 0; }
dd.told { font: bold 13pt/1.5 monospace; overflow-wrap: anywhere; }
"""


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody and the first password.

    Attributes:
        username: of the user.
        password: the password.
        values: the attributes.
    """

    username: str
    password: Secret
    values: Mapping[str, str | None]


def check_hand_over(path: Path | None) -> None:
    """Refuses a file before anything is done that could not be written afterwards.

    Raises:
        UsageError: it is of no known format, or exists.
    """
    if path is None:
        return
    if path.suffix.lower() not in _WRITERS:
        known = gettext(" or ").join(_WRITERS)
        raise UsageError(
            gettext("{option} {path}: the name must end in {known}", option=OPTION, path=path, known=known)
        )
    if path.exists() or path.is_symlink():
        raise UsageError(
            gettext(
                "{option} {path}: the file exists, and passwords are never written over one; name another",
                option=OPTION,
                path=path,
            )
        )
    if not path.parent.is_dir():
        raise UsageError(
            gettext("{option} {path}: there is no folder {folder}", option=OPTION, path=path, folder=path.parent)
        )


def write_hand_over(path: Path, people: Iterable[Told], fields: FieldSet, title: str) -> None:
    """Writes the file, for its owner only; it is whole or not there.

    Args:
        path: the file.
        people: who is told, in the order of the sheet.
        fields: the fields of a user.
        title: what it is about.

    Raises:
        MusterrollError: it cannot be written.
    """
    write = _WRITERS[path.suffix.lower()]
    names = [name for name in fields.attributes if name in {key for one in people for key in one.values}]
    headings = {name: field.heading for name, field in fields.items()}

    def fill(target: BinaryIO) -> None:
        text = io.TextIOWrapper(target, encoding="utf-8", newline="")
        for piece in write(people, names, headings, title):
            text.write(piece)
        text.flush()
        text.detach()

    try:
        with NewFile(path.parent, private=True) as file:
            file.fill(fill)
            if not file.becomes(path, replace=False):
                raise _not_written(path, gettext("the file exists by now"))
    except OSError as error:
        raise _not_written(path, why_not(error, path)) from error


def _not_written(path: Path, why: str) -> MusterrollError:
    return MusterrollError(
        gettext(
            "the first passwords cannot be written to {name}: {why}, so nobody knows them; go on with the job, which "
            "sets its users other ones and writes those to another file",
            # Where the folder is, on a page is nobody's business.
            name=path.name,
            why=why,
        )
    )


def slips_as_table(page: str) -> str:
    """The table of a page of slips that was written here: what `FILE.csv` would have been.

    Args:
        page: the page.

    Raises:
        MusterrollError: it is none of ours.
    """
    reader = _SlipReader()
    reader.feed(page)
    reader.close()
    told = [[line for line in slip if line.is_told] for slip in reader.slips]
    if not told or any(len(lines) != 2 for lines in told):
        raise MusterrollError(gettext("this is no page of first passwords"))
    values = [{line.heading: line.value for line in slip if not line.is_told} for slip in reader.slips]
    headings = _in_one_order(values)
    # By their places: a heading can be what a field is called.
    names = {heading: str(place) for place, heading in enumerate(headings)}
    people = [
        Told(username.value, Secret(password.value), {names[heading]: value for heading, value in others.items()})
        for (username, password), others in zip(told, values, strict=True)
    ]
    username, password = told[0]
    said = {USERNAME: username.heading, PASSWORD: password.heading, **{names[one]: one for one in headings}}
    return "".join(_csv(people, [*names.values()], said, ""))


class _Line(NamedTuple):
    """A line of a slip; `is_told` where a person signs in with it."""

    heading: str
    value: str
    is_told: bool


class _SlipReader(HTMLParser):
    """Reads the slips of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.slips: list[list[_Line]] = []
        self._heading, self._text, self._is_told = "", "", False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._text = ""
        if tag == "section":
            self.slips.append([])
        if tag == "dd":
            self._is_told = ("class", _TOLD) in attrs

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "dt":
            self._heading = self._text
        if tag == "dd" and self.slips:
            self.slips[-1].append(_Line(self._heading, self._text, self._is_told))


def _in_one_order(slips: Iterable[Iterable[str]]) -> list[str]:
    """All headings of the slips, each after the one that stands before it on its slip."""
    found: list[str] = []
    for slip in slips:
        place = 0
        for heading in slip:
            if heading not in found:
                found.insert(place, heading)
            place = found.index(heading) + 1
    return found


def _csv(people: Iterable[Told], names: list[str], headings: Mapping[str, str], title: str) -> Iterator[str]:
    line = io.StringIO()
    # Every cell in quotation marks: what stands after a semicolon is no cell of its own anywhere.
    writer = csv.writer(line, quoting=csv.QUOTE_ALL)

    def written(values: Iterable[str]) -> str:
        line.seek(0)
        line.truncate()
        writer.writerow(values)
        return line.getvalue()

    yield "\ufeff" + written([headings[USERNAME], headings[PASSWORD], *(headings[name] for name in names)])
    for one in people:
        values = [one.values.get(name) or "" for name in names]
        yield written([no_formula(one.username), one.password.reveal(), *map(no_formula, values)])


def _page(people: Iterable[Told], names: list[str], headings: Mapping[str, str], title: str) -> Iterator[str]:
    said, advice = html.escape(title), gettext("Keep this to yourself, and change the password when you first sign in.")
    yield f'<!doctype html>\n<meta charset="utf-8">\n<title>{said}</title>\n<style>{_STYLE}</style>\n'
    for one in people:
        yield f"<section>\n<h2>{said}</h2>\n<dl>\n"
        for name in names:
            if one.values.get(name):
                yield _line(headings[name], one.values[name] or "")
        yield _line(headings[USERNAME], one.username, told=True)
        yield _line(headings[PASSWORD], one.password.reveal(), told=True)
        yield "</dl>\n"
        yield f"<p>{html.escape(advice)}</p>\n"
        yield "</section>\n"


def _line(heading: str, value: str, *, told: bool = False) -> str:
    kind = f' class="{_TOLD}"' if told else ""
    return f"<dt>{html.escape(heading)}</dt><dd{kind}>{html.escape(value)}</dd>\n"


_Writer = Callable[[Iterable[Told], list[str], Mapping[str, str], str], Iterator[str]]
_WRITERS: Mapping[str, _Writer] = {".html": _page, ".csv": _csv}
