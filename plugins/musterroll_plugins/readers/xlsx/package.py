"""The package of an xlsx workbook: parts that refer to each other by relationships."""

from __future__ import annotations

import posixpath
from typing import NamedTuple
from urllib.parse import unquote

from musterroll import gettext
from musterroll_plugins.readers.package.xml import Attributes, DamagedError, ElementHandler
from musterroll_plugins.readers.package.zip_file import Package

_MOST = 100_000


class Relationship(NamedTuple):
    """What a part refers to: the last word of its type, e.g. `worksheet`, and the name of the part."""

    kind: str
    target: str


class XlsxPackage(Package):
    """An open package with relationships."""

    def relationships(self, part: str = "") -> dict[str, Relationship]:
        """Returns the relationships of a part, or of the package itself, by their ids."""
        folder, name = posixpath.split(part)
        where = posixpath.join(folder, "_rels", f"{name}.rels")
        found: dict[str, Relationship] = {}

        def opened(name: str, attributes: Attributes) -> None:
            if name != "Relationship" or attributes.get("TargetMode") == "External":
                return
            target = unquote(attributes.get("Target", "")).replace("\\", "/")
            target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = Relationship(kind, target)
            if len(found) > _MOST:
                raise DamagedError(gettext("it has more parts than a workbook can"))

        if where in self:
            with self.open(where) as stream:
                ElementHandler(opened).read(stream)
        return found

    def workbook(self) -> str | None:
        """The name of the part that is the workbook, xlsx or not; None where the package is something else."""
        main = [target for kind, target in self.relationships().values() if kind == "officeDocument"]
        for part in [*main, "xl/workbook.xml", "xl/workbook.bin"]:
            if part in self and "workbook" in posixpath.basename(part).lower():
                return part
        return next((part for part in main if part in self and self._is_spreadsheet(part)), None)

    def _is_spreadsheet(self, part: str) -> bool:
        """Looks up the content type of a main part that has an unusual name."""
        types: list[str] = []

        def opened(name: str, attributes: Attributes) -> None:
            if name == "Override" and attributes.get("PartName", "").lower() == f"/{part.lower()}":
                types.append(attributes.get("ContentType", ""))

        with self.open("[Content_Types].xml") as stream:
            ElementHandler(opened).read(stream)
        return any("spreadsheetml" in kind or "ms-excel" in kind for kind in types)
