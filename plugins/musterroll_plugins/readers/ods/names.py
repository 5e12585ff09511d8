"""The names of styles in written spreadsheets. LibreOffice lists those of cells to the person."""

from __future__ import annotations

from typing import Final

TEXT: Final = "Text"
NUMBER: Final = "Number"
TRUTH: Final = "Truth"
DATE: Final = "Date"
DATE_TIME: Final = "DateTime"
TIME: Final = "Time"
HEADING: Final = "Heading"
HEADING_NEEDED: Final = "HeadingNeeded"
GUIDANCE: Final = "Guidance"
HEADING_ROW: Final = "heading-row"
GUIDANCE_ROW: Final = "guidance-row"
