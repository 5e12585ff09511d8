from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from musterroll import AmbiguousWorksheetError, Confidence, OtherFormat, Sheet, Source, SourceError
from musterroll.errors import PluginError
from musterroll.sheet.readers import choose_reader, open_sheet
from support.sheets import MemorySheet


class FakeFormat:
    """A reader of a format that is told by its first bytes."""

    def __init__(
        self, head: bytes = b"", confidence: Confidence = Confidence.CERTAIN, error: Exception | None = None
    ) -> None:
        self._head, self._confidence, self._error = head, confidence, error
        self.closed = False

    def sniff(self, source: Source) -> Confidence | OtherFormat:
        if self._error is not None:
            raise self._error
        return self._confidence if source.head.startswith(self._head) else Confidence.NO

    def open(self, source: Source, worksheet: str | None = None) -> AbstractContextManager[Sheet]:
        if self._error is not None:
            raise self._error
        return Opened(self, worksheet)


class Opened(AbstractContextManager[Sheet]):
    """Not a generator, which would be closed by being thrown away."""

    def __init__(self, reader: FakeFormat, worksheet: str | None) -> None:
        self._reader, self._worksheet = reader, worksheet

    def __enter__(self) -> Sheet:
        return MemorySheet({1: (self._worksheet,)})

    def __exit__(self, *error: object) -> None:
        self._reader.closed = True


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Source]:
    def write(head: bytes) -> Source:
        path = tmp_path / "staff.dat"
        path.write_bytes(head)
        return Source(path)

    return write


def test_the_surest_reader_is_chosen_by_content(file: Callable[[bytes], Source]) -> None:
    text, zipped = FakeFormat(confidence=Confidence.PERHAPS), FakeFormat(b"PK")
    for readers in ([("csv", text), ("xlsx", zipped)], [("xlsx", zipped), ("csv", text)]):
        assert choose_reader(file(b"PK\x03\x04"), readers) == ("xlsx", zipped)
        assert choose_reader(file(b"Email;Username"), readers) == ("csv", text)


def test_a_reader_that_was_named_is_taken_without_asking(file: Callable[[bytes], Source]) -> None:
    named = FakeFormat(error=ZeroDivisionError())
    assert choose_reader(file(b""), [("mine", named)]) == ("mine", named)


def test_a_file_of_no_known_format(file: Callable[[bytes], Source]) -> None:
    readers = [("xlsx", FakeFormat(b"PK")), ("ods", FakeFormat(b"PK"))]
    with pytest.raises(SourceError) as caught:
        choose_reader(file(b"\x00\x01"), readers)
    assert caught.value.code == "source.unsupported"
    assert "staff.dat seems to be no spreadsheet; " in str(caught.value)
    assert str(caught.value).endswith("The formats that can be read are xlsx, ods")


def test_a_reader_may_know_what_a_file_is_that_nobody_reads(file: Callable[[bytes], Source]) -> None:
    class Knowing(FakeFormat):
        def sniff(self, source: Source) -> Confidence | OtherFormat:
            return OtherFormat("a fax", "type it in")

    readers = [("one", FakeFormat(b"1")), ("two", Knowing())]
    assert choose_reader(file(b"1"), readers) == readers[0]
    with pytest.raises(SourceError, match=r"seems to be a fax; type it in\. The formats that can be read are one, two"):
        choose_reader(file(b"0"), readers)


def test_a_reader_that_is_certain_has_its_way(file: Callable[[bytes], Source]) -> None:
    own = FakeFormat(confidence=Confidence.CERTAIN)
    text = FakeFormat(confidence=Confidence.PERHAPS)
    assert choose_reader(file(b"<html><table>"), [("csv", text), ("pages", own)]) == ("pages", own)


def test_a_reader_that_breaks_while_looking_is_named(file: Callable[[bytes], Source]) -> None:
    readers = [("good", FakeFormat()), ("bad", FakeFormat(error=IndexError("short")))]
    with pytest.raises(PluginError, match=r"readers\[bad\] broke while looking at the file: IndexError: short"):
        choose_reader(file(b""), readers)


def test_a_file_that_vanishes_while_it_is_looked_at_is_no_fault_of_the_reader(file: Callable[[bytes], Source]) -> None:
    gone = SourceError("staff.dat does not exist")
    with pytest.raises(SourceError, match=r"^staff\.dat does not exist$"):
        choose_reader(file(b""), [("one", FakeFormat(error=gone)), ("other", FakeFormat())])


def test_the_sheet_is_open_until_the_end(file: Callable[[bytes], Source]) -> None:
    reader = FakeFormat()
    with open_sheet(file(b""), "fake", reader, "Users") as sheet:
        assert [row.cells for row in sheet.rows()] == [("Users",)]
        assert not reader.closed
    assert reader.closed


def test_a_reader_that_breaks_while_opening_is_named(file: Callable[[bytes], Source]) -> None:
    broken = FakeFormat(error=KeyError("xl/workbook.xml"))
    with (
        pytest.raises(PluginError, match=r"readers\[fake\] broke while opening the file: KeyError"),
        open_sheet(file(b""), "fake", broken, None),
    ):
        pass


@pytest.mark.parametrize("error", [SourceError("damaged"), AmbiguousWorksheetError(["Users", "Old"])])
def test_what_a_reader_raises_on_purpose_comes_through(error: Exception, file: Callable[[bytes], Source]) -> None:
    with pytest.raises(type(error)), open_sheet(file(b""), "fake", FakeFormat(error=error), None):
        pass


def test_what_is_raised_while_the_sheet_is_open_is_not_the_readers(file: Callable[[bytes], Source]) -> None:
    reader = FakeFormat()
    with pytest.raises(ZeroDivisionError), open_sheet(file(b""), "fake", reader, None):
        raise ZeroDivisionError
    assert reader.closed


def test_a_reader_that_breaks_while_closing_is_named(file: Callable[[bytes], Source]) -> None:
    class Closing:
        def sniff(self, source: Source) -> Confidence:
            return Confidence.NO

        def open(self, source: Source, worksheet: str | None = None) -> AbstractContextManager[Sheet]:
            @contextmanager
            def opened() -> Iterator[Sheet]:
                yield MemorySheet({})
                raise OSError("disk gone")

            return opened()

    with (
        pytest.raises(PluginError, match=r"readers\[fake\] broke while closing the file: OSError: disk gone"),
        open_sheet(file(b""), "fake", Closing(), None),
    ):
        pass
