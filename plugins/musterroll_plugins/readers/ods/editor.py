"""Changes cells in a copy of a document: its content is patched, and all else stays as it is."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from musterroll import SheetEdits, Source, is_front_worksheet
from musterroll_plugins.readers.ods.document import Document
from musterroll_plugins.readers.ods.edited_rows import RowsPatcher
from musterroll_plugins.readers.ods.edited_styles import EditedStyles
from musterroll_plugins.readers.ods.front import with_front_page
from musterroll_plugins.readers.ods.package import CONTENT
from musterroll_plugins.readers.package.patching import xml_text
from musterroll_plugins.readers.package.worksheets import choose
from musterroll_plugins.readers.package.zip_file import Package, opened, readable

_SETTINGS, _STYLES, _MANIFEST, _TYPE = "settings.xml", "styles.xml", "META-INF/manifest.xml", "mimetype"
# A picture of the first worksheet as it was, passwords and all.
_THUMBNAILS = "Thumbnails/"
_ACTIVE = re.compile(rb'(<config:config-item\b[^>]*config:name="ActiveTable"[^>]*>)[^<]*(</config:config-item>)')
_THUMBNAIL = re.compile(rb'<manifest:file-entry\b[^>]*manifest:full-path="Thumbnails/[^>]*/>')


class OdsEditor:
    """Changes cells in a copy of a document."""

    def edit(self, source: Source, edits: SheetEdits, target: BinaryIO) -> None:
        """Writes the copy.

        Raises:
            SourceError: the file is damaged.
        """
        with opened(source) as archive, readable(source):
            package = Package(archive, source.size)
            document = Document(package)
            worksheet = choose(source, document.worksheets, edits.worksheet)
            front = edits.front
            others = (one for one in document.worksheets if one.place != worksheet.place)
            earlier = next((one.place for one in others if front is not None and is_front_worksheet(one.name)), None)
            styles = EditedStyles()

            def patch(write: Callable[[bytes], object], edits: SheetEdits = edits) -> None:
                patcher = RowsPatcher(write, worksheet.place, worksheet.name, edits, styles, earlier)
                with package.open(CONTENT) as stream:
                    patcher.copy(stream)

            if front is not None or any(edit.mark is not None for edit in edits.cells()):
                # Styles stand before the cells that need them; cells that are only emptied need none.
                patch(lambda data: None, replace(edits, blanked=frozenset()))
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
                for name, entry in package.entries():
                    if entry.filename.startswith(_THUMBNAILS):
                        continue
                    stored = zipfile.ZIP_STORED if name == _TYPE else zipfile.ZIP_DEFLATED
                    info = zipfile.ZipInfo(entry.filename, entry.date_time)
                    info.compress_type = stored
                    with made.open(info, "w", force_zip64=name == CONTENT) as out:
                        if name == CONTENT:
                            patch(out.write)
                            continue
                        with package.open(name) as stream:
                            if name == _SETTINGS and front is not None:
                                shown = xml_text(front.name).encode()
                                out.write(_ACTIVE.sub(rb"\g<1>" + shown + rb"\g<2>", stream.read()))
                            elif name == _STYLES and front is not None:
                                out.write(with_front_page(stream.read()))
                            elif name == _MANIFEST.lower():
                                out.write(_THUMBNAIL.sub(b"", stream.read()))
                            else:
                                shutil.copyfileobj(stream, out)
