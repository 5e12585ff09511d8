"""Sheets that are written: in which formats, how their columns look, and files that are whole or not there at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from musterroll.contract.components import ReaderType
from musterroll.contract.drafts import Draft, DraftColumn
from musterroll.contract.edits import CellEdit, SheetEdits
from musterroll.contract.fields import GROUPS, Field
from musterroll.contract.options import Options
from musterroll.contract.source import Source
from musterroll.contract.translation import gettext
from musterroll.errors import MusterrollError, PluginError, UsageError
from musterroll.pipeline.pipeline import Instance, Pipeline
from musterroll.registry.plugin_errors import guarded
from musterroll.written.new_file import NewFile, why_not

_NARROWEST, _WIDEST, _OF_GROUPS = 14, 32, 40  # characters


class WritableFormat(NamedTuple):
    """A format that can be written.

    Attributes:
        name: as `--as` and `use` in a pipeline file say it.
        instance: the reader that brings the writer.
        suffixes: how its files' names end, the usual one first.
    """

    name: str
    instance: Instance
    suffixes: tuple[str, ...]

    @classmethod
    def of(cls, instance: Instance) -> WritableFormat | None:
        """Makes the format of a reader; None where it has no writer."""
        component = cast("ReaderType[Options]", instance.component)
        if component.writer is None:
            return None
        return cls(component.name, instance, component.suffixes or (f".{component.name}",))

    @property
    def suffix(self) -> str:
        """How its files' names usually end."""
        return self.suffixes[0]

    def suits(self, path: Path) -> bool:
        """Whether the file's name ends as those of this format do."""
        return path.suffix.lower() in self.suffixes


def writable_formats(pipeline: Pipeline) -> tuple[WritableFormat, ...]:
    """The formats that this pipeline can write, which are some of those that it can read."""
    return tuple(found for one in pipeline.readers if (found := WritableFormat.of(one)) is not None)


def format_of_name(pipeline: Pipeline, path: Path, option: str) -> WritableFormat:
    """Finds the format that a file's name asks for.

    Args:
        pipeline: the pipeline.
        path: the file.
        option: where the name was given, for the message.

    Raises:
        UsageError: none has that ending.
    """
    if path.is_dir():
        raise UsageError(
            gettext("{option} {path}: this is a folder; name a file in it", option=option, path=path),
            code="output.unsupported",
        )
    formats = writable_formats(pipeline)
    for one in formats:
        if one.suits(path):
            return one
    endings = ", ".join(one.suffix for one in formats) or gettext("none")
    what = (
        gettext('the ending "{ending}" is none', ending=path.suffix)
        if path.suffix
        else gettext("the name has no ending")
    )
    raise UsageError(
        gettext(
            "{option} {path}: {what} of a sheet that can be written; these are: {endings}",
            option=option,
            path=path,
            what=what,
            endings=endings,
        ),
        code="output.unsupported",
    )


def refuse_existing(path: Path, *, replace: bool) -> None:
    """Refuses to write over a file.

    Raises:
        UsageError: there is one, and it is not to be replaced.
    """
    if path.exists() and not replace:
        raise UsageError(
            gettext("there is a file {path} already; --force writes over it, -o names another", path=path),
            code="output.exists",
        )


def draft_column(field: Field) -> DraftColumn:
    """Makes the column of a field."""
    width = min(max((field.max_length or 0) // 3, _NARROWEST), _WIDEST)
    return DraftColumn(
        heading=field.heading,
        width=_OF_GROUPS if field.name == GROUPS else width,
        required=field.required,
        choices=field.choices,
    )


def write_draft(
    pipeline: Pipeline,
    form: WritableFormat,
    draft: Draft,
    paths: Iterable[Path],
    *,
    private: bool,
    replace: bool,
    marks: Callable[[], Iterator[CellEdit]] | None = None,
) -> Path:
    """Writes a sheet, whole or not at all.

    Args:
        pipeline: builds the writer.
        form: the format.
        draft: the sheet.
        paths: where to; the first one counts that is free. All in one folder.
        private: for the owner only.
        replace: the first path counts, whatever is there.
        marks: yields marks and notes at its cells, for formats that show them; may be called again.

    Returns:
        The file that was written.

    Raises:
        UsageError: all paths are taken.
        MusterrollError: it cannot be written.
        PluginError: the writer broke.
    """
    writer = pipeline.build_writer(form.instance)
    component = cast("ReaderType[Options]", form.instance.component)
    editor = pipeline.build_editor(form.instance) if marks is not None and component.editor is not None else None
    paths = iter(paths)
    first = next(paths)

    def write(target: BinaryIO) -> None:
        if editor is None or marks is None:
            writer.write(draft, target)
            return
        with NewFile(first.parent, private=True) as bare:
            bare.fill(lambda file: writer.write(draft, file))
            editor.edit(Source(bare.path), SheetEdits(worksheet=draft.worksheet, cells=marks), target)

    return write_new(form.instance.label, write, chain((first,), paths), private=private, replace=replace)


def write_new(
    label: str, write_to: Callable[[BinaryIO], None], paths: Iterable[Path], *, private: bool, replace: bool
) -> Path:
    """Lets a plugin write a file, whole or not at all. See `write_draft`.

    Args:
        label: who writes.
        write_to: writes.
        paths: where to; the first one counts that is free. All in one folder.
        private: for the owner only.
        replace: the first path counts, whatever is there.
    """
    paths = iter(paths)
    path = next(paths)

    def write(target: BinaryIO) -> None:
        try:
            with guarded(label, "writing a sheet"):
                write_to(target)
        except PluginError as error:
            if isinstance(error.__cause__, OSError):  # the disk is full, say: not the writer's fault
                raise error.__cause__ from None
            raise

    try:
        with NewFile(path.parent, private=private) as temporary:
            temporary.fill(write)
            while not temporary.becomes(path, replace=replace):
                following = next(paths, None)
                if following is None:
                    raise UsageError(
                        gettext("there is a file {path} already; it is not written over", path=path),
                        code="output.exists",
                    )
                path = following
    except OSError as error:
        raise MusterrollError(
            gettext("{path} cannot be written: {error}", path=path, error=why_not(error, path)),
            code="output.unwritable",
        ) from None
    return path
