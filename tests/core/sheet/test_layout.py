"""What a sheet that nobody has described looks like: headings, first user, columns."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import Cell, SheetRow
from musterroll.pipeline.loader import load_pipeline
from musterroll.sheet.layout import ROWS, SheetLayout, find_layout
from musterroll.sheet.synonyms import synonyms

FIELDS = tuple(load_pipeline(None).fields.values())
USER = ("ana@example.com", "ana", "Ana", "Silva", "Meadow-Kite-41", "44", "7712345678", "Sales")


def layout(*rows: Sequence[Cell], first: int = 1) -> SheetLayout:
    return find_layout((SheetRow(number, tuple(row)) for number, row in enumerate(rows, first)), FIELDS)


def meanings(found: SheetLayout) -> dict[str, str | None]:
    return {column.heading: column.field for column in found.columns}


@pytest.mark.parametrize(
    "headings",
    [
        ("Mail", "Login", "First Name", "Last Name", "Initial Password", "Country code", "Mobile", "Teams"),
        ("E-Mail-Adresse", "Benutzername", "Vorname", "Nachname", "Startpasswort", "Ländervorwahl", "Handy", "Gruppen"),
        ("Courriel", "Identifiant", "Prénom", "Nom", "Mot de passe", "Indicatif", "Portable", "Groupes"),
        ("Correo electrónico", "Usuario", "Nombre", "Apellidos", "Contraseña", "Prefijo", "Móvil", "Grupos"),
        ("Posta elettronica", "Nome utente", "Nome", "Cognome", "Password", "Prefisso", "Cellulare", "Gruppi"),
        ("E-mail", "Nazwa użytkownika", "Imię", "Nazwisko", "Hasło", "Numer kierunkowy", "Komórka", "Grupy"),
        ("E-mail", "Uživatelské jméno", "Jméno", "Příjmení", "Heslo", "Předvolba", "Telefon", "Skupiny"),
        ("Sähköposti", "Käyttäjätunnus", "Etunimi", "Sukunimi", "Salasana", "Maatunnus", "Matkapuhelin", "Ryhmät"),
        ("E-posta", "Kullanıcı adı", "Adı", "Soyadı", "Şifre", "Ülke kodu", "Cep telefonu", "Gruplar"),
        (
            "E-mail cím",
            "Felhasználónév",
            "Keresztnév",
            "Vezetéknév",
            "Jelszó",
            "Országhívó",
            "Telefonszám",
            "Csoportok",
        ),
        ("Эл. почта", "Логин", "Имя", "Фамилия", "Пароль", "Код страны", "Телефон", "Группы"),
        ("MAIL", " user_name ", "first-name", "LASTNAME", "Pass Word", "calling_code", "PHONE number", "groups:"),
    ],
)
def test_columns_are_found_by_their_headings_in_many_languages(headings: tuple[str, ...]) -> None:
    found = layout(headings, USER)
    assert list(meanings(found).values()) == [
        "email",
        "username",
        "forename",
        "surname",
        "password",
        "calling_code",
        "phone",
        "groups",
    ]
    assert (found.heading_row, found.first_row, found.rows) == (1, 2, 1)


def test_titles_above_the_headings_and_guidance_below_are_passed_over() -> None:
    headings = [field.heading for field in FIELDS]
    found = layout(
        ["Staff list of Acme, October"],
        ["Version", "3"],
        headings,
        ["Where the invite goes", "Needed", "Needed", "", "At least 8 characters", "e.g. 44", "the local part", ""],
        USER,
    )
    assert (found.heading_row, found.first_row, found.rows) == (3, 5, 1)


def test_columns_under_unknown_headings_are_found_by_what_they_hold() -> None:
    rows = [(f"user{n}", f"u{n}@example.com", f"771234{n:04}", "Staff;Sales|North", str(n)) for n in range(10)]
    found = layout(("Login", "Contact", "Reach", "Belongs to", "Number"), *rows)
    assert meanings(found) == {
        "Login": "username",
        "Contact": "email",
        "Reach": "phone",
        "Belongs to": "groups",
        "Number": None,
    }
    assert [column.is_certain for column in found.columns] == [True, False, False, False, True]


def test_whole_telephone_numbers_are_told_from_local_ones() -> None:
    whole = [("ana", "+44 7712 345678"), ("bo", "0045 32 12 34 56"), ("cem", "")]
    assert layout(("Login", "Mobile"), *whole).whole_phones
    assert not layout(("Login", "Mobile"), ("ana", "7712345678"), ("bo", "07712345678")).whole_phones
    assert not layout(("Login", "Mobile", "Country code"), ("ana", "+447712345678", "44")).whole_phones


def test_a_name_alone_may_be_the_whole_name() -> None:
    assert [one.is_certain for one in layout(("Login", "Name"), ("ana", "Ana Silva")).columns] == [True, False]
    assert [one.is_certain for one in layout(("Vorname", "Name"), ("Ana", "Silva")).columns] == [True, True]


def test_choices_are_few_words_that_come_again() -> None:
    rows = [(f"user{n}", ("Sales", "IT & Web", "Marketing")[n % 3], f"note {n}") for n in range(30)]
    _, department, note = layout(("Login", "Department", "Remarks"), *rows).columns
    assert department.choices == ("IT & Web", "Marketing", "Sales")
    assert note.choices == ()


@pytest.mark.parametrize("password", ["Welcome", "Welcome2026", "Sommer-Wiese-41"])
def test_a_password_under_an_unknown_heading_does_not_become_a_choice(password: str) -> None:
    rows = [(f"user{n}", password if n % 2 else f"{password}1") for n in range(30)]
    assert password not in repr(layout(("Login", "Zugang"), *rows))
    assert password not in repr(layout(("Login", "Zugang"), *[(f"user{n}", password) for n in range(30)]))


def test_a_sheet_without_headings_shows_nothing_of_its_users() -> None:
    with pytest.raises(ValueError, match="no") as refused:
        layout(USER, USER)
    assert "Meadow" not in str(refused.value)


def test_only_so_many_rows_are_looked_at() -> None:
    def rows() -> object:
        yield SheetRow(1, ("Login", "Mail"))
        for number in range(2, ROWS + 1):
            yield SheetRow(number, (f"u{number}", f"u{number}@example.com"))
        raise AssertionError("read too far")

    assert find_layout(rows(), FIELDS).rows == ROWS - 1  # type: ignore[arg-type]


cells = st.one_of(st.none(), st.text(max_size=12), st.sampled_from([w for words in synonyms().values() for w in words]))


@given(st.lists(st.lists(cells, max_size=10), max_size=12))
def test_whatever_a_sheet_holds_each_field_has_one_column_at_most(rows: list[list[str | None]]) -> None:
    try:
        found = layout(*rows)
    except ValueError:
        return
    fields = [column.field for column in found.columns if column.field is not None]
    assert len(fields) == len(set(fields)) > 0
    assert found.first_row > found.heading_row
    assert [column.index for column in found.columns] == sorted({column.index for column in found.columns})
