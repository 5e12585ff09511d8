"""reader → sheet → validators → group resolvers, for one file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from musterroll.contract.cells import SheetInfo, SheetRow
from musterroll.contract.fields import PASSWORD, FieldSet
from musterroll.contract.problems import Problem
from musterroll.contract.roles import AmbiguousWorksheetError, RowValidator, Sheet, SheetValidator
from musterroll.contract.secret import Secret
from musterroll.contract.source import Source
from musterroll.contract.translation import gettext
from musterroll.errors import RefusedError
from musterroll.pipeline.pipeline import Pipeline
from musterroll.sheet.batch import RowBatch
from musterroll.sheet.blocks import filled_blocks, rows_of
from musterroll.sheet.checks import CheckedBatch, Checks, Listener, TakesProblems
from musterroll.sheet.problem_log import ProblemLog
from musterroll.sheet.reader import RowReader
from musterroll.sheet.readers import choose_reader, open_sheet
from musterroll.sheet.repairs import Fix, RepairChoice, Repairs, RowProblems
from musterroll.sheet.shifts import ShiftFinder
from musterroll.sheet.summary import SheetCounts, SheetSummary


class OpenSheet:
    """Takes one sheet in.

    Args:
        pipeline: how.
        path: the file.

    Raises:
        SourceError: the file is missing, damaged, protected, or of no known format.
        PluginError: a reader broke.
    """

    def __init__(self, pipeline: Pipeline, path: Path) -> None:
        self._pipeline = pipeline
        self.source = Source(path)
        self._name, self._reader = choose_reader(self.source, pipeline.build_readers())
        self.counts = SheetCounts()
        self.summary = self._summary(SheetInfo(self._name))

    def _summary(self, info: SheetInfo) -> SheetSummary:
        source = self.source
        return SheetSummary(
            str(source.path), source.sha256, info.format, self._name, info.worksheet, info.notes, info.encoding
        )

    @contextmanager
    def checked(
        self, log: ProblemLog, listener: Listener | None = None, *, fix: Fix | None = None
    ) -> Iterator[Iterator[CheckedBatch]]:
        """Opens the sheet and streams its rows, checked, many at once; problems go to the log and rows are counted.

        A listener is called with every problem and the label of the rule that found it. What the pipeline has repaired
        is repaired already; with `fix` other suggestions are taken.

        Raises:
            SourceError: the file is damaged.
            PluginError: a plugin broke.
        """
        pipeline = self._pipeline
        try:
            with self._open() as sheet:
                self.summary = self._summary(sheet.info)
                reader = self._row_reader(log)
                checks = self._checks(pipeline.build_validators(), log, listener)
                yield checks.run(self._repaired(self._counted(reader, sheet), log, listener, fix))
        except AmbiguousWorksheetError as error:
            message = gettext(
                'The workbook has several worksheets: {names}; name the one to import: --set sheet.worksheet="{first}"',
                names=", ".join(f'"{name}"' for name in error.names),
                first=error.names[0],
            )
            log.add_file(Problem(code="sheet.ambiguous", message=message))
            yield iter(())

    @contextmanager
    def passwords(self, sha256: str) -> Iterator[Iterator[tuple[int, Secret | None]]]:
        """Opens the sheet once more, if it is still the one that was planned, and streams its rows' passwords.

        No other column is read, unless the password is composed of them.

        Args:
            sha256: of the sheet that was planned.

        Raises:
            RefusedError: the file has changed.
        """
        self._refuse_changed(sha256)
        password = self._pipeline.fields[PASSWORD]
        fields = FieldSet([password]) if password.compose is None else None
        with self._open() as sheet:
            ignored = ProblemLog()
            try:
                batches = self._row_reader(ignored, fields).batches(sheet, self._name)
                yield (
                    (number, Secret(password) if password else None)
                    for batch in (batches if fields else self._repaired(batches, ignored))
                    for number, password in zip(batch.numbers, batch.columns.secrets(PASSWORD), strict=True)
                )
            finally:
                ignored.close()

    @contextmanager
    def as_it_is(self, sha256: str) -> Iterator[tuple[SheetInfo, Iterator[SheetRow]]]:
        """Opens the sheet once more, if it is still the one that was planned, and streams its rows as they are.

        Args:
            sha256: of the sheet that was planned.

        Raises:
            RefusedError: the file has changed.
        """
        self._refuse_changed(sha256)
        with self._open() as sheet:
            yield sheet.info, rows_of(filled_blocks(sheet, self._name))

    def _refuse_changed(self, sha256: str) -> None:
        # The digest of now, not the remembered one.
        if Source(self.source.path).sha256 != sha256:
            raise RefusedError(
                f"{self.source.path} has changed since it was planned; run it again", code="source.changed"
            )

    @contextmanager
    def _open(self) -> Iterator[Sheet]:
        with open_sheet(self.source, self._name, self._reader, self._pipeline.settings.sheet.worksheet) as sheet:
            yield sheet

    def _row_reader(self, log: ProblemLog, fields: FieldSet | None = None) -> RowReader:
        everything = self._pipeline.fields
        return RowReader(self._pipeline.settings.sheet, fields or everything, log.add_file, everything=everything)

    def _checks(
        self,
        validators: Sequence[tuple[str, RowValidator | SheetValidator]],
        log: TakesProblems,
        listener: Listener | None,
    ) -> Checks:
        pipeline = self._pipeline
        return Checks(
            validators,
            pipeline.build_resolvers(),
            log,
            listener,
            max_levels=pipeline.settings.membership.max_levels,
            has_defaults=any(field.default is not None for field in pipeline.fields.values()),
            shifts=ShiftFinder(pipeline.fields),
            watch=pipeline.watch,
            cancelled=pipeline.cancelled,
        )

    def _repaired(
        self,
        batches: Iterator[RowBatch],
        log: ProblemLog,
        listener: Listener | None = None,
        fix: Fix | None = None,
    ) -> Iterator[RowBatch]:
        """The rows as rules judge them."""
        pipeline = self._pipeline
        choice = RepairChoice.of(pipeline.settings.repairs) if fix is None else fix.choice
        if choice is None:
            return batches

        def checks(found: RowProblems, told: Listener) -> Checks:
            validators = pipeline.build_validators()
            return self._checks([one for one in validators if not isinstance(one[1], SheetValidator)], found, told)

        take = None if fix is None else fix.take
        return Repairs(choice, pipeline.fields, pipeline.severities, checks, log, listener, take).run(batches)

    def _counted(self, reader: RowReader, sheet: Sheet) -> Iterator[RowBatch]:
        for batch in reader.batches(sheet, self._name):
            self.counts.rows += len(batch)
            yield batch
        self.counts.not_read = reader.not_read
