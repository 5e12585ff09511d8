"""Chooses the reader by the file's content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from musterroll.contract.roles import AmbiguousWorksheetError, Confidence, OtherFormat, Reader, Sheet
from musterroll.contract.source import Source
from musterroll.contract.translation import gettext, gettext_noop
from musterroll.errors import MusterrollError, SourceError
from musterroll.registry.plugin_errors import broken, guarded

_UNKNOWN = OtherFormat(gettext_noop("no spreadsheet"), gettext_noop("it may be damaged; choose another file"))


def choose_reader(source: Source, readers: Sequence[tuple[str, Reader]]) -> tuple[str, Reader]:
    """Returns the reader that is most sure of the file, and its name.

    Args:
        source: the file.
        readers: the readers to choose from; a single one is taken without asking.

    Raises:
        SourceError: no reader knows the format.
        PluginError: a reader broke.
    """
    if len(readers) == 1:
        return readers[0]
    best, chosen, other = Confidence.NO, None, None
    for name, reader in readers:
        with guarded(f"readers[{name}]", "looking at the file"):
            answer = reader.sniff(source)
        if isinstance(answer, OtherFormat):
            other = other or answer
        elif answer > best:
            best, chosen = answer, (name, reader)
    if chosen is None:
        kind, advice = other or _UNKNOWN
        known = ", ".join(name for name, _ in readers)
        raise SourceError(
            gettext(
                "{file} seems to be {kind}; {advice}. The formats that can be read are {formats}",
                file=source.called,
                kind=gettext(kind),
                advice=gettext(advice),
                formats=known,
            ),
            code="source.unsupported",
        )
    return chosen


@contextmanager
def open_sheet(source: Source, name: str, reader: Reader, worksheet: str | None) -> Iterator[Sheet]:
    """Opens the worksheet; whatever a reader raises comes out as one line that names it.

    Raises:
        SourceError: the file is damaged or protected.
        AmbiguousWorksheetError: several visible worksheets, none named.
        PluginError: the reader broke.
    """
    label = getattr(reader, "label", f"readers[{name}]")
    stack = ExitStack()
    try:
        sheet = stack.enter_context(reader.open(source, worksheet))
    except (MusterrollError, AmbiguousWorksheetError):
        raise
    except Exception as error:
        raise broken(label, "opening the file", error) from error
    try:
        yield sheet
    except BaseException as error:
        stack.__exit__(type(error), error, error.__traceback__)
        raise
    with guarded(label, "closing the file"):
        stack.close()
