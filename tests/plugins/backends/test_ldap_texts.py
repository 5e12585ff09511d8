"""Names of entries, templates, schemas and options of the backend `ldap`, whatever the values are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from musterroll import (
    BackendError,
    Context,
    CreateUser,
    Desired,
    Field,
    FieldSet,
    Op,
    Secret,
    Status,
    Surroundings,
    Template,
)
from musterroll_plugins.backends.ldap import LdapOptions, build

ldap = pytest.importorskip("ldap", reason="python-ldap is not installed")

from ldap.dn import str2dn  # noqa: E402 -- where it is installed

from musterroll_plugins.backends.ldap import active_directory, entries, errors, names, requests, schema  # noqa: E402
from musterroll_plugins.backends.ldap.connection import number_of  # noqa: E402
from musterroll_plugins.backends.ldap.dialect import Dialect, ServerFacts  # noqa: E402
from musterroll_plugins.backends.ldap.exchange import Exchange  # noqa: E402

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
    lambda text: text == text.strip()
)


class TestNames:
    @given(texts, texts)
    def test_any_value_comes_out_of_a_name_as_it_went_in(self, value: str, above: str) -> None:
        parent = names.child(names.rdn("ou", above), "dc=example")
        dn = names.child(names.rdn("uid", value), parent)
        assert [part[0][:2] for part in str2dn(dn)] == [("uid", value), ("ou", above), ("dc", "example")]
        assert names.first_value(dn) == value
        assert names.comparable(names.split(dn)[1]) == names.comparable(parent)
        assert names.is_below(dn, parent)
        assert not names.is_below(parent, dn)

    @given(texts)
    def test_names_compare_without_case_and_spaces(self, value: str) -> None:
        dn = names.child(names.rdn("uid", value), "ou=people,dc=example")
        assert names.comparable(dn) == names.comparable(names.child(names.rdn("UID", value), "OU=People, DC=Example"))
        assert names.comparable(names.comparable(dn)) == names.comparable(dn)

    def test_names_that_the_directory_tells_apart_stay_apart(self) -> None:
        assert names.comparable("uid=straße,dc=x") != names.comparable("uid=strasse,dc=x")
        assert not names.is_below("uid=a,ou=xpeople,dc=x", "ou=people,dc=x")

    @given(texts)
    def test_a_value_cannot_get_out_of_a_filter(self, value: str) -> None:
        made = names.equals("uid", value)
        assert made.count("(") == made.count(")") == 1
        assert "*" not in made

    @given(texts, texts)
    def test_what_is_made_of_fields_has_no_gaps(self, forename: str, surname: str) -> None:
        made = names.Made(Template("{forename} {middle} {surname}"))
        text = made.of({"forename": forename, "surname": surname, "middle": None})
        assert text == " ".join(f"{forename} {surname}".split())
        assert names.Made(Template("{{x}}{forename}")).of({"forename": forename}).startswith("{x}")


@given(st.binary(max_size=200))
def test_the_answer_to_an_addition_is_read_whatever_it_is(encoded: bytes) -> None:
    assert isinstance(requests.last_text(encoded), bytes)


@given(st.text(st.characters(codec="ascii"), min_size=1, max_size=300))
def test_the_new_id_is_read_from_the_answer(value: str) -> None:
    def ber(tag: int, content: bytes) -> bytes:
        size = len(content)
        length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
        return bytes([tag]) + length + content

    attribute = ber(0x30, ber(0x04, b"entryUUID") + ber(0x31, ber(0x04, value.encode())))
    entry = ber(0x64, ber(0x04, b"uid=ana,dc=example") + ber(0x30, attribute))
    assert requests.last_text(entry) == value.encode()


class TestSchema:
    schema = schema.Schema(
        [
            b"( 2.5.4.41 NAME 'name' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32768} )",
            b"( 2.5.4.4 NAME ( 'sn' 'surname' ) SUP name )",
            b"( 0.9.1 NAME ( 'mail' 'rfc822Mailbox' ) SYNTAX 1.3.6.1.4.1.1466.115.121.1.26{256} )",
            b"( 1.1 NAME 'uidNumber' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )",
            b"( 2.5.4.20 NAME 'telephoneNumber' SYNTAX 1.3.6.1.4.1.1466.115.121.1.50{32} )",
            b"( 9 NAME 'ring' SUP ring )",
        ],
        [
            b"( 2.5.6.0 NAME 'top' ABSTRACT MUST objectClass )",
            b"( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) MAY description )",
            b"( 1.2 NAME 'posix' SUP ( person $ gone ) AUXILIARY MUST uidNumber )",
        ],
    )

    def test_what_is_missing(self) -> None:
        assert self.schema.missing_attributes(["Surname", "mail;lang-en", "acme"]) == ["acme"]
        assert self.schema.missing_classes(["POSIX", "acmePerson"]) == ["acmePerson"]
        assert sorted(self.schema.wanted(["posix"], ["surname"])) == ["cn", "uidnumber"]

    @pytest.mark.parametrize(
        ("attribute", "value", "fits"),
        [
            ("mail", "ana@example.com", True),
            ("rfc822mailbox", "zoë@example.com", False),
            ("sn", "Weiß", True),
            ("uidNumber", "-17", True),
            ("uidNumber", "1.5", False),
            ("telephoneNumber", "+44 7712345678", True),
            ("telephoneNumber", "Büro", False),
            ("unknown", "ß", True),
            ("ring", "ß", True),
        ],
    )
    def test_what_a_value_must_be(self, attribute: str, value: str, fits: bool) -> None:
        assert (self.schema.unfit(attribute, value) is None) == fits


class TestRefusals:
    @pytest.mark.parametrize(
        ("info", "words"),
        [
            ("0000052D: Constraint violation - check_password_restrictions: too short", "password policy refuses"),
            ("00000524: samldb: Account name (sAMAccountName) 'ana' already in use!", "another user or group"),
            ("0000202F: samldb: userPrincipalName value is already in use", "userPrincipalName"),
            ("0000202F: something that must be unique", "does not take a value"),
            ("00002071: Entry CN=ana already exists", "another entry"),
            ("0000001F: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0", "encrypted line"),
        ],
    )
    def test_active_directory_tells_by_a_code(self, info: str, words: str) -> None:
        options = LdapOptions.model_validate(OPTIONS | {"kind": "active-directory"})
        dialect = active_directory.ActiveDirectory(options, ServerFacts({}))
        assert words in dialect.explain(ldap.CONSTRAINT_VIOLATION({"info": info, "msgid": 7}))

    def test_what_the_server_says_is_one_line_of_some_length(self) -> None:
        text = errors.said(ldap.OTHER({"info": "a\nb\x07" + "c" * 1000}))
        assert text.startswith("a b c")
        assert len(text) <= 300

    def test_passwords_are_taken_out_of_what_the_server_says(self) -> None:
        secrets = [Secret("Canary-7c1f-Sesame"), None]
        said = errors.hidden('the password "Canary-7c1f-Sesame" is too weak', secrets)
        assert said == 'the password "***" is too weak'

    def test_no_answer_to_an_operation_tells_a_password(self) -> None:
        class Silent:
            password = Secret("Service-Account-1")

        def refused(op: Op) -> requests.Work:
            yield from ()
            raise ldap.CONSTRAINT_VIOLATION({"info": "Canary-7c1f-Sesame of Service-Account-1", "msgid": 1})

        context = Context(instance="backend", fields=FieldSet([]))
        exchange = Exchange(Silent(), context, 1, errors.described)  # type: ignore[arg-type]  # nothing is sent
        op = CreateUser(id="1", user=Desired(username="ana", fields={}), password=Secret("Canary-7c1f-Sesame"))
        (result,) = exchange.run(iter([op]), refused, writes=True)
        assert result.status is Status.FAILED
        assert result.detail == "the directory does not take a value (*** of ***)"

    def test_a_refusal_has_a_number_and_a_lost_line_none(self) -> None:
        assert number_of(ldap.NO_SUCH_OBJECT({"msgid": 4})) == 4
        assert number_of(ldap.SERVER_DOWN({"desc": "Can't contact LDAP server"})) is None


OPTIONS: dict[str, Any] = {
    "servers": ["ldaps://directory.example"],
    "user": "cn=importer,dc=example",
    "password": {"env": "LDAP_PASSWORD"},
    "base": "dc=example",
    "users": "ou=people,dc=example",
}


class TestOptions:
    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"servers": []}, "at least 1 item"),
            ({"servers": ["https://directory.example"]}, "address as"),
            ({"servers": ["ldap://importer@directory.example"]}, "leave out"),
            ({"base": "people"}, "no name of an entry"),
            ({"rdn": "uid=all"}, "what it is made of"),
            ({"user_filter": "objectClass=person"}, "in parentheses"),
            ({"attributes": {"department": "a b"}}, "no name of an attribute"),
            ({"user": None}, "belong together"),
            ({"user": None, "password": None}, "name the account"),
            ({"inactive_attribute": "employeeType"}, "belong together"),
            ({"group_class": "posixGroup", "nesting": "members"}, "users as members"),
            ({"kind": "active-directory", "group_class": "groupOfNames"}, "class group"),
            ({"made": {"gecos": "{nickname}"}}, 'no field "nickname"'),
            ({"containers": {"x": "ou=x,dc=example"}, "containers_by": "team"}, 'no field "team"'),
        ],
    )
    def test_mistakes_are_said(self, wrong: dict[str, Any], words: str) -> None:
        fields = FieldSet([Field(name=name, heading=name) for name in ("username", "forename", "surname")])
        around = Surroundings(folder_of=lambda _, path: path, fields=fields)
        with pytest.raises(ValidationError, match=words):
            LdapOptions.model_validate({**OPTIONS, **wrong}, context=around)

    def test_without_the_extra_it_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("musterroll_plugins.backends.ldap.find_spec", lambda _: None)
        with pytest.raises(BackendError, match=r"pip install .musterroll\[ldap\]") as told:
            build(LdapOptions.model_validate(OPTIONS), Context(instance="backend", fields=FieldSet([])))
        assert told.value.code == "extra.missing"

    def test_a_certificate_file_that_is_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LDAP_PASSWORD", "x")
        (tmp_path / "ca.pem").write_text("nothing", encoding="utf-8")
        options = LdapOptions.model_validate({**OPTIONS, "ca": str(tmp_path / "ca.pem"), "retries": 0})
        backend = build(options, Context(instance="backend", fields=FieldSet([])))
        with pytest.raises(BackendError, match="no certificates in PEM"):
            backend.capabilities()


def test_truth_values_are_in_capitals_in_a_directory() -> None:
    attributes = {"permanent": "isPermanent", "note": "description"}
    options = LdapOptions.model_validate({**OPTIONS, "attributes": attributes})
    found = entries.UserEntries(options, Dialect(options, ServerFacts({})), ["permanent"])
    fields = {"username": "ana", "permanent": "true", "note": "true"}
    written = found.attribute_values(fields, fields)
    assert (written["isPermanent"], written["description"]) == ("TRUE", "true")
    entry = {name.lower(): [text.encode()] for name, text in written.items() if text}
    values = found.values(entry)
    assert (values["permanent"], values["note"]) == ("true", "true")
