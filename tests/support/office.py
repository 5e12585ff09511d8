"""Files that real spreadsheet programs write: LibreOffice and Gnumeric, where they are installed."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from support.programs import needs_program

_FILTERS = {"xlsx": "Calc MS Excel 2007 XML", "xls": "MS Excel 97", "ods": "calc8"}

needs_libreoffice = needs_program("soffice", "LibreOffice")
needs_gnumeric = needs_program("ssconvert", "Gnumeric")


def libreoffice(file: Path, form: str, folder: Path, *, read_as: str | None = None) -> Path:
    """Lets LibreOffice convert a file.

    Args:
        file: what it opens.
        form: what it saves: `xlsx`, `xls`, `ods`, or `csv:` with filter options, e.g. `csv:59,34,76` for
            semicolons, quotation marks, UTF-8.
        folder: where the result goes; must not be that of `file` if the name stays the same.
        read_as: an import filter with its options, e.g. `Text - txt - csv (StarCalc):44,34,76,1,1/2` for a csv
            whose first column is text.

    Returns:
        The file that it wrote.
    """
    ending, _, options = form.partition(":")
    target = f"{ending}:{_FILTERS[ending]}" if ending in _FILTERS else f"csv:Text - txt - csv (StarCalc):{options}"
    folder.mkdir(parents=True, exist_ok=True)
    command = ["soffice", "--headless", "--norestore", f"-env:UserInstallation={_profile().as_uri()}"]
    if read_as is not None:
        command.append(f"--infilter={read_as}")
    _run([*command, "--convert-to", target, "--outdir", str(folder), str(file)])
    return _written(folder / f"{file.stem}.{ending}")


def saved_again(file: Path) -> Path:
    """What LibreOffice makes of a sheet that a person opens and saves; a csv is opened as text, with semicolons."""
    if file.suffix == ".csv":
        text = "Text - txt - csv (StarCalc):59,34,76,1," + "/".join(f"{n}/2" for n in range(1, 11))
        return libreoffice(file, "csv:59,34,76", file.parent / "again", read_as=text)
    return libreoffice(file, file.suffix[1:], file.parent / "again")


@cache
def _profile() -> Path:
    """A profile for this process: of a second LibreOffice in one profile nothing would come, silently.

    Making one takes longer than converting a file, so it is kept until the process ends.
    """
    folder = Path(tempfile.mkdtemp(prefix="musterroll-libreoffice-")).resolve()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def gnumeric(file: Path, form: str, folder: Path) -> Path:
    """Lets Gnumeric convert a file to `xlsx`, `xls`, `ods` or `csv`; returns the file that it wrote."""
    folder.mkdir(parents=True, exist_ok=True)
    exporter = {
        "xlsx": "Gnumeric_Excel:xlsx",
        "xls": "Gnumeric_Excel:excel_biff8",
        "ods": "Gnumeric_OpenCalc:odf",
        "csv": "Gnumeric_stf:stf_csv",
    }[form]
    target = folder / f"{file.stem}.{form}"
    _run(["ssconvert", f"--export-type={exporter}", str(file), str(target)])
    return _written(target)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=180)


def _written(path: Path) -> Path:
    assert path.exists(), f"{path.name} was not written"
    return path
