"""reader → sheet → validators → group resolvers, for one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
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
from musterroll.pipeline.settings import Settings
from musterroll.sheet.batch import RowBatch
from musterroll.sheet.blocks import filled_blocks, rows_of
from musterroll.sheet.checks import CheckedBatch, Checks, Listener, TakesProblems
from musterroll.sheet.chosen import ChosenRows
from musterroll.sheet.existing_users import for_existing_users, for_inactive_users
from musterroll.sheet.identities import Identities, makes_usernames
from musterroll.sheet.orders import Contradictions, RowOrders
from musterroll.sheet.problem_log import ProblemLog
from musterroll.sheet.reader import RowReader
from musterroll.sheet.readers import choose_reader, open_sheet
from musterroll.sheet.repairs import Fix, RepairChoice, Repairs, RowProblems
from musterroll.sheet.scope import Scope
from musterroll.sheet.shifts import ShiftFinder
from musterroll.sheet.summary import SheetCounts, SheetSummary
from musterroll.sheet.transforms import Transformed, Transforms


class OpenSheet:
    """Takes one sheet in.

    Args:
        pipeline: how.
        path: the file.
        chosen: which rows are meant; None for all of them.

    Raises:
        SourceError: the file is missing, damaged, protected, or of no known format.
        PluginError: a reader broke.
    """

    def __init__(self, pipeline: Pipeline, path: Path, chosen: ChosenRows | None = None) -> None:
        self._pipeline, self._chosen = pipeline, chosen
        self.source = Source(path)
        self._name, self._reader = choose_reader(self.source, pipeline.build_readers())
        self.counts = SheetCounts()
        self.keeps_inactive = False
        """Whether the sheet says that whoever is inactive stays so; known once it is opened."""
        self.summary = self._summary(SheetInfo(self._name))

    @property
    def settings(self) -> Settings:
        """The pipeline's settings as this sheet wants them; known once it is opened."""
        return self._pipeline.settings

    def _summary(self, info: SheetInfo) -> SheetSummary:
        source = self.source
        return SheetSummary(
            source.called,
            source.sha256,
            info.format,
            self._name,
            info.worksheet,
            info.notes,
            info.encoding,
            self._chosen,
        )

    @contextmanager
    def checked(
        self,
        log: ProblemLog,
        listener: Listener | None = None,
        *,
        fix: Fix | None = None,
        transformed: Callable[[Transformed], object] | None = None,
    ) -> Iterator[Iterator[CheckedBatch]]:
        """Opens the sheet and streams its rows, checked, many at once; problems go to the log and rows are counted.

        A listener is called with every problem and the label of the rule that found it. What the pipeline has repaired
        is repaired already; with `fix` other suggestions are taken. `transformed` is told what transforms have changed.

        Raises:
            SourceError: the file is damaged.
            PluginError: a plugin broke.
        """
        try:
            with self._open() as sheet:
                self.summary = self._summary(sheet.info)
                reader = self._row_reader(log, transforms=self._transforms(transformed))
                batches = self._counted(reader, sheet, log)
                first = next(batches, None)  # by then it is known what the guidance says
                if reader.for_existing_users:
                    self._pipeline = for_existing_users(self._pipeline)
                if reader.keeps_inactive:
                    self._pipeline = for_inactive_users(self._pipeline)
                self.keeps_inactive = reader.keeps_inactive
                batches = batches if first is None else chain((first,), batches)
                checks = self._checks(self._pipeline.build_validators(), log, listener)
                yield checks.run(self._repaired(batches, log, listener, fix))
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
                batches = self._row_reader(ignored, fields, None if fields else self._transforms()).batches(
                    sheet, self._name
                )
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
                gettext("{sheet} has changed since it was planned; run it again", sheet=self.source.called),
                code="source.changed",
            )

    @contextmanager
    def _open(self) -> Iterator[Sheet]:
        with open_sheet(self.source, self._name, self._reader, self._pipeline.settings.sheet.worksheet) as sheet:
            yield sheet

    def _row_reader(
        self, log: ProblemLog, fields: FieldSet | None = None, transforms: Transforms | None = None
    ) -> RowReader:
        everything = self._pipeline.fields
        return RowReader(
            self._pipeline.settings.sheet,
            fields or everything,
            log.add_file,
            everything=everything,
            transforms=transforms,
        )

    def _transforms(self, listener: Callable[[Transformed], object] | None = None) -> Transforms:
        return Transforms(self._pipeline.build_transforms(), listener)

    def _checks(
        self,
        validators: Sequence[tuple[str, RowValidator | SheetValidator]],
        log: TakesProblems,
        listener: Listener | None,
    ) -> Checks:
        pipeline = self._pipeline
        orders = orders_of(pipeline)
        own: list[tuple[str, RowValidator | SheetValidator]] = []
        if orders:
            own.append(("role", Contradictions(pipeline.fields)))
        if makes_usernames(pipeline.fields):
            own.append(("make", Identities(pipeline.fields, pipeline.settings.match)))
        if scope := Scope(pipeline.settings.scope):
            own.append(("scope", scope))
        return Checks(
            [*validators, *own],
            pipeline.build_resolvers(),
            log,
            listener,
            max_levels=pipeline.settings.membership.max_levels,
            about={one.label: one.when for one in (*pipeline.validators, *pipeline.resolvers) if one.when is not None},
            has_defaults=bool(pipeline.transforms)
            or any(field.default is not None for field in pipeline.fields.values()),
            shifts=ShiftFinder(pipeline.fields),
            orders=orders,
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

    def _counted(self, reader: RowReader, sheet: Sheet, log: ProblemLog) -> Iterator[RowBatch]:
        batches, left_out = reader.batches(sheet, self._name), 0
        found = set[str]()
        for batch, others in (
            ((one, 0) for one in batches) if self._chosen is None else self._chosen.take(batches, found)
        ):
            left_out += others
            if batch is not None:
                self.counts.rows += len(batch)
                yield batch
        self.summary = self._summary(sheet.info)  # by now there may be more notes
        self.counts.not_read = reader.not_read + left_out
        if self._chosen is not None and not log.file_errors:
            self._chosen.refuse_missing(found, anything=self.counts.rows > 0)


def orders_of(pipeline: Pipeline) -> RowOrders:
    """What the rows of the pipeline's sheets want, today: where the program runs, as people mean a date."""
    return RowOrders(pipeline.fields, pipeline.settings.match, pipeline.clock().astimezone().date())
