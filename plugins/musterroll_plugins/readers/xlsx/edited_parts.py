"""The parts of a workbook around its cells, in a copy with changes: lists, the workbook itself, shared texts."""

from __future__ import annotations

from collections.abc import Callable

from musterroll_plugins.readers.package.patching import Patcher, with_attributes, xml_text
from musterroll_plugins.readers.package.xml import Attributes, XmlHandler
from musterroll_plugins.readers.xlsx.front import printed_headings

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
# What stands between the worksheets and the names of a workbook.
_BEFORE_NAMES = frozenset({"functionGroups", "externalReferences"})


class ListPatcher(Patcher):
    """Takes elements of a short list away, and adds others at its end."""

    def __init__(self, write: Callable[[bytes], object], added: list[str]) -> None:
        super().__init__(write)
        self._added, self._prefix, self._start = added, "", 0

    def drops(self, name: str, attributes: Attributes) -> bool:
        """Whether an element goes."""
        raise NotImplementedError

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag."""
        if self.depth == 1:
            self._prefix = self.start_tag(self.place)[1:].decode("ascii", "replace").partition(name)[0]
            self._start = self.held = self.place
        elif self.depth == 2:  # below the root
            self.held = self._dropped = self.place if self.drops(name, attributes) else None

    def closed(self, name: str) -> None:
        """Hears of an end tag."""
        if self.depth == 1 and self._dropped is not None:
            self.replace(self._dropped, self.end_of(self._dropped), "")
            self._dropped = None
        elif self.depth == 0 and self._added:
            added = "".join(self._added).replace("<", f"<{self._prefix}") if self._prefix else "".join(self._added)
            if self.held is not None and (tag := self.start_tag(self._start)).endswith(b"/>"):  # an empty list
                opened_tag = tag.decode().removesuffix("/>") + ">"
                self.replace(self._start, self.place, f"{opened_tag}{added}</{self._prefix}{name}>")
            else:
                self.replace(self.place, self.place, added)

    _dropped: int | None = None


class LinksPatcher(ListPatcher):
    """Changes relationships."""

    def __init__(self, write: Callable[[bytes], object], ids: set[str], added: list[str]) -> None:
        super().__init__(write, added)
        self._ids = ids

    def drops(self, name: str, attributes: Attributes) -> bool:
        """Whether a relationship goes."""
        return attributes.get("Id") in self._ids


class TypesPatcher(ListPatcher):
    """Changes the list of the parts' types."""

    def __init__(self, write: Callable[[bytes], object], dropped: set[str], added: list[str]) -> None:
        super().__init__(write, added)
        self._parts = dropped

    def drops(self, name: str, attributes: Attributes) -> bool:
        """Whether a type goes: of a part that is gone, or one that is added anew."""
        if name == "Default":
            added = f'Extension="{attributes.get("Extension", "").lower()}"'
            return any(added in one for one in self._added)
        return attributes.get("PartName", "").lstrip("/").lower() in self._parts


class WorkbookPatcher(Patcher):
    """Puts a worksheet in front, and shows it first."""

    def __init__(self, write: Callable[[bytes], object], name: str | None) -> None:
        super().__init__(write)
        self._name, self._ids = name, [0]
        self._prefix = self._titles = ""  # the name of the rows that are printed on every page, until it has its place

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag."""
        tag_at = self.place
        if self._titles and self.depth == 2 and name not in _BEFORE_NAMES:  # below the root
            self._add_titles(beside_others=name == "definedNames")
        if name == "sheets" and self._name is not None:
            self.held = tag_at
            self._sheets_at = tag_at
        elif name == "sheet" and self._name is not None:
            number = attributes.get("sheetId", "0")
            self._ids.append(int(number) if number.isdecimal() else 0)
        elif name == "workbookView":
            tag = self.start_tag(tag_at)
            self.replace(tag_at, tag_at + len(tag), with_attributes(tag, activeTab="0", firstSheet="0"))
        elif name == "definedName" and self._name is not None and attributes.get("localSheetId", "").isdecimal():
            tag = self.start_tag(tag_at)
            number = str(int(attributes["localSheetId"]) + 1)
            self.replace(tag_at, tag_at + len(tag), with_attributes(tag, localSheetId=number))

    def closed(self, name: str) -> None:
        """Hears of an end tag."""
        if name == "sheets" and self._name is not None:
            at = self._sheets_at
            tag = self.start_tag(at)
            rest = self.raw(at + len(tag), self.place).decode("utf-8")
            prefix = tag[1:].decode("ascii", "replace").partition("sheets")[0]
            first = (
                f'<{prefix}sheet xmlns:mr="{OFFICE}" name="{xml_text(self._name)}" sheetId="{max(self._ids) + 1}" '
                'mr:id="mrProblems"/>'
            )
            self.replace(at, self.place, f"{tag.decode()}{first}{rest}")
            held = xml_text(printed_headings(self._name))
            named = f'<{prefix}definedName name="_xlnm.Print_Titles" localSheetId="0">{held}</{prefix}definedName>'
            self._prefix, self._titles = prefix, named
        elif self._titles and self.depth == 0:
            self._add_titles(beside_others=False)

    def _add_titles(self, *, beside_others: bool) -> None:
        """Names the rows; where the workbook has names, in front of the others."""
        tag = self.start_tag(self.place) if beside_others else b""
        has_more = beside_others and not tag.endswith(b"/>")
        end = "" if has_more else f"</{self._prefix}definedNames>"
        self.replace(self.place, self.place + len(tag), f"<{self._prefix}definedNames>{self._titles}{end}")
        self._titles = ""

    _sheets_at: int = 0


class TextsPatcher(Patcher):
    """Empties shared texts."""

    def __init__(self, write: Callable[[bytes], object], emptied: set[int]) -> None:
        super().__init__(write)
        self._emptied, self._number, self._start = emptied, -1, 0

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag."""
        if name == "si":
            self._number += 1
            self._start = self.place
            self.held = self.place if self._number in self._emptied else None

    def closed(self, name: str) -> None:
        """Hears of an end tag."""
        if name == "si" and self.held is not None:
            prefix = self.start_tag(self._start)[1:].decode("ascii", "replace").partition("si")[0]
            self.replace(self._start, self.end_of(self._start), f"<{prefix}si><{prefix}t/></{prefix}si>")


class SharedTexts(XmlHandler):
    """Finds the shared texts that the cells of a worksheet refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: set[int] = set()
        self._is_shared = False

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag."""
        self.parts.clear()
        if name == "c":
            self._is_shared = attributes.get("t") == "s"

    def closed(self, name: str) -> None:
        """Hears of an end tag."""
        if name == "v" and self._is_shared and (number := self.text().strip()).isdecimal():
            self.numbers.add(int(number))
        self.parts.clear()
