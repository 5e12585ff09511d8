"""What a package says of itself: of which type it is, and whether it is under a password."""

from __future__ import annotations

from collections.abc import Callable

from musterroll_plugins.readers.package.xml import Attributes, ElementHandler
from musterroll_plugins.readers.package.zip_file import Package

CONTENT, _MANIFEST, _TYPE = "content.xml", "META-INF/manifest.xml", "mimetype"
SPREADSHEETS = (
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.spreadsheet-template",
)


def media_type(package: Package) -> str:
    """The type that the package says it is; empty where it does not."""
    if _TYPE in package:
        with package.open(_TYPE) as stream:
            return stream.read(200).decode("ascii", errors="replace").strip()
    types: list[str] = []

    def opened(name: str, attributes: Attributes) -> None:
        if not types and name == "file-entry" and attributes.get("manifest:full-path") == "/":
            types.append(attributes.get("manifest:media-type", ""))

    _read_manifest(package, opened)
    return types[0] if types else ""


def is_encrypted(package: Package) -> bool:
    """Whether the content cannot be read without a password."""
    found = False

    def opened(name: str, attributes: Attributes) -> None:
        nonlocal found
        found = found or name == "encryption-data"

    _read_manifest(package, opened)
    return found


def _read_manifest(package: Package, opened: Callable[[str, Attributes], None]) -> None:
    if _MANIFEST in package:
        with package.open(_MANIFEST) as stream:
            ElementHandler(opened).read(stream)
