from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from musterroll import Field, GroupPath, Problem, Severity, fold
from musterroll.contract.text import clean
from musterroll.errors import PipelineError
from musterroll_plugins.groups._table import GroupTable, add_groups, read_groups
from musterroll_plugins.groups.mapping import Mapping, MappingOptions
from musterroll_plugins.groups.paths import Notation
from support.rows import changed, context, row

TABLE = {"North": ["Region|North", "Staff"], "HQ": "Region|South;Staff", "Guest": ""}


def mapping(*fields: Field, **options: object) -> Mapping:
    return Mapping(MappingOptions.model_validate({"field": "surname", **options}), context(*fields))


def resolve(text: str | None, *fields: Field, **options: object) -> list[GroupPath | Problem]:
    return list(mapping(*fields, **(options or {"groups": TABLE})).resolve(row(surname=text)))


def problem(text: str, **options: object) -> Problem:
    (found,) = resolve(text, **options)
    assert isinstance(found, Problem)
    return found


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    file = folder / "sites.csv"
    file.write_bytes(text.encode(encoding))
    return file


def mistakes(file: Path, **options: object) -> list[str]:
    with pytest.raises(PipelineError) as raised:
        mapping(file=file, **options)
    assert {(one.path, one.origin) for one in raised.value.mistakes} == {("test.options.file", "pipeline")}
    return [one.message for one in raised.value.mistakes]


def test_a_value_means_its_groups_however_it_is_spelt() -> None:
    for text in ("North", "NORTH", "ｎｏｒｔｈ", "No\u200brth"):
        assert resolve(text) == [("Region", "North"), ("Staff",)]
    assert resolve("hq") == [("Region", "South"), ("Staff",)]
    assert resolve("Guest") == []


def test_a_value_that_is_not_in_the_table() -> None:
    found = problem("Nroth")

    assert (found.code, found.severity, found.cell, found.suggestion) == (
        "groups.unknown",
        Severity.ERROR,
        "D3",
        "North",
    )
    assert problem("West", groups=TABLE, unknown="warning").severity is Severity.WARNING
    assert resolve("West", groups=TABLE, unknown="ignore") == []


def test_a_blank_cell_means_no_group_or_what_the_pipeline_says() -> None:
    assert resolve("") == []
    assert resolve("", groups=TABLE, blank=["Visitors|Day", "Staff"]) == [("Visitors", "Day"), ("Staff",)]
    assert resolve(None, groups=TABLE, blank="Staff") == []


def test_what_is_too_long_or_no_choice_is_for_another_rule() -> None:
    assert resolve("x" * 51) == []
    assert resolve("West", changed("surname", choices=("North", "HQ")), groups=TABLE) == []
    # but a choice that nobody gave groups is not
    assert len(resolve("West", changed("surname", choices=("North", "West")), groups=TABLE)) == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "say which groups values mean"),
        ({"groups": {"North": "A||B", "HQ": r"A\x"}}, '"North": group 1 has an empty level.*"HQ": .*means nothing'),
        ({"groups": {"North": ["A", "B|"]}}, "group 2 has an empty level"),
        ({"groups": {"North": "A", "NORTH": "B"}}, '"NORTH" is there already, with other groups'),
        ({"groups": {" ": "A"}}, "the value is empty"),
        ({"groups": TABLE, "blank": "A;"}, "no group after the last"),
        ({"groups": TABLE, "unknown": "skip"}, "error"),
    ],
)
def test_mistakes_in_the_pipeline(options: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        mapping(**options)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_csv_file_as_spreadsheet_programs_save_it(tmp_path: Path, delimiter: str, encoding: str) -> None:
    lines = ("Site|Groups", 'Nörth|"Region\\North;Staff"', "", '"HQ|London"|Staff', "Guest|", "Nobody")
    text = "\r\n".join(line.replace("|", delimiter).replace("\\", "|") for line in lines)
    found = mapping(file=written(tmp_path, text, encoding), groups={"Away": "Remote"})

    assert list(found.resolve(row(surname="nörth"))) == [("Region", "North"), ("Staff",)]
    assert list(found.resolve(row(surname=f"HQ{delimiter}London"))) == [("Staff",)]
    assert list(found.resolve(row(surname="Guest"))) == list(found.resolve(row(surname="nobody"))) == []
    assert list(found.resolve(row(surname="away"))) == [("Remote",)]


def test_every_mistake_of_the_file_is_named_with_its_row(tmp_path: Path) -> None:
    file = written(tmp_path, "Site,Groups\nNorth,A||B\nHQ,A,B\n,Staff\nEast,A\nEAST,B\neast,A\nWest,C\n")

    assert mistakes(file, groups={"west": "D"}) == [
        'sites.csv, row 2: group 1 has an empty level, fill it in or take the spare "|" away',
        "sites.csv, row 3: there are more than two cells; put values with commas in quotation marks",
        "sites.csv, row 4: the value is empty; `blank` says which groups blank cells mean",
        'sites.csv, row 6: "EAST" is there already, with other groups; a value can stand there once',
        'sites.csv, row 8: "West" is there already, with other groups; a value can stand there once',
    ]
    many = written(tmp_path, "Site,Groups\n" + "x,|\n" * 1000)
    assert mistakes(many)[-1] == "sites.csv has 980 more mistakes"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the first row must hold two headings"),
        (b"North,Region|North\n", "the first row must hold two headings"),
        (b"Site,Groups,More\n", "the first row must hold two headings"),
        (b"PK\x03\x04\0\0\0\0", "is no csv file; save it as CSV"),
        (b'Site,Groups\n"North,A\nHQ,B\n', "is never closed"),
        ("Site,Groups\nZürich,A\nGenève,B\nÖrebro,C\nÅ".encode() + b"\xff,D\n", "UTF-8"),
        (None, "does not exist"),
    ],
)
def test_what_is_no_such_file(tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "sites.csv"
    if content is not None:
        file.write_bytes(content)

    (message,) = mistakes(file)
    assert says in message
    assert "[readers" not in message
    assert "sites.csv" in message


def test_the_column_may_be_called_as_in_the_sheet(tmp_path: Path) -> None:
    file = written(tmp_path, "Standort;Gruppen\nBerlin;Nord\n")

    assert mistakes(file)
    found = mapping(changed("groups", heading="Gruppen"), file=file)
    assert list(found.resolve(row(surname="Berlin"))) == [("Nord",)]


LEVEL = (
    st.text(st.sampled_from('aB;|\\ é,/"\n') | st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
    .map(clean)
    .filter(fold)
)
GROUPS = st.lists(
    st.lists(LEVEL, min_size=1, max_size=3).map(tuple), max_size=3, unique_by=lambda p: tuple(map(fold, p))
)


@given(table=st.dictionaries(LEVEL, GROUPS, max_size=5))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, table: dict[str, list[GroupPath]]
) -> None:
    by_fold = {fold(value): (value, groups) for value, groups in table.items()}
    file = tmp_path_factory.getbasetemp() / "written.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerows([("Site", "Groups"), *((value, Notation().format(g)) for value, g in by_fold.values())])
    read = GroupTable()

    assert list(add_groups(read, file, context())) == []
    for folded, (_, groups) in by_fold.items():
        assert read.find(folded) == tuple(groups)


@given(
    st.binary(max_size=200)
    | st.text(st.sampled_from('aB;|\\,"\n'), max_size=60).map(lambda t: ("S,Groups\n" + t).encode())
)
def test_any_bytes_are_a_table_or_say_what_is_wrong(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(content)
    table = GroupTable()

    faults = list(add_groups(table, file, context()))
    assert all(fault.startswith("any.csv") or str(file) in fault for fault in faults)
    assert faults or all(table.find(fold(value)) is not None for value in table.values)


@given(st.text(st.sampled_from("ab;|\\ \u200b") | st.characters()))
def test_any_text_is_groups_or_a_plain_fault(text: str) -> None:
    try:
        paths = read_groups(text)
    except ValueError:
        return
    assert all(fold(level) for path in paths for level in path)
