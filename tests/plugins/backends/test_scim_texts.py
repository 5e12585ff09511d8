"""What needs no portal: paths, telephone numbers, group names, options."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from musterroll_plugins.backends.scim import ScimOptions
from musterroll_plugins.backends.scim.paths import AttributePath
from musterroll_simple import join_path, phones, split_path

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
TEXTS = st.text(min_size=1, max_size=8)
DIGITS = st.text("0123456789", min_size=1, max_size=12)


class TestPhones:
    @given(code=st.none() | st.sampled_from(["1", "44", "420", "1684"]), number=DIGITS)
    def test_what_is_joined_is_split_again(self, code: str | None, number: str) -> None:
        assert phones.split(phones.join(code, number)) == (code, number)

    @given(text=st.text(max_size=20))
    def test_whatever_is_stored_is_read_the_same_once_it_is_stored_by_us(self, text: str) -> None:
        code, number = phones.split(text)
        assert phones.split(phones.join(code, number)) == (code, number)

    @pytest.mark.parametrize(
        ("stored", "meant"),
        [
            ("+447712345678", ("44", "7712345678")),
            ("tel:+1-201-555-0123", ("1", "2015550123")),
            ("+420 601 123 456", ("420", "601123456")),
            ("tel:+44-7712-345678;ext=12", ("44", "7712345678")),
            ("(0) 7712 345678", (None, "07712345678")),
            ("extension 12", (None, "extension 12")),
            ("", (None, None)),
            ("\r", (None, None)),
            ("tel:", (None, None)),
            (None, (None, None)),
        ],
    )
    def test_what_others_stored(self, stored: str | None, meant: tuple[str | None, str | None]) -> None:
        assert phones.split(stored) == meant


class TestGroupNames:
    @given(
        levels=st.lists(st.text(r"ab|\/ ", min_size=1, max_size=5), min_size=1, max_size=4),
        separator=st.sampled_from(["|", "/", " "]),
    )
    def test_levels_survive(self, levels: list[str], separator: str) -> None:
        assert split_path(join_path(tuple(levels), separator), separator) == tuple(levels)

    @given(
        levels=st.lists(st.text(r"a/\:-, ", max_size=5).map(str.strip).filter(bool), min_size=1, max_size=4),
        separator=st.sampled_from([" / ", "::", " - ", ", ", "->"]),
    )
    def test_levels_survive_a_separator_of_several_letters(self, levels: list[str], separator: str) -> None:
        assert split_path(join_path(tuple(levels), separator), separator) == tuple(levels)

    @given(name=TEXTS)
    def test_every_name_is_a_path(self, name: str) -> None:
        assert all(split_path(name, "|"))

    @pytest.mark.parametrize("name", ["|a", "a||b", "a|", "a\\b", "\\"])
    def test_what_is_none_of_our_names_is_one_level(self, name: str) -> None:
        assert split_path(name, "|") == (name,)


class TestPaths:
    @pytest.mark.parametrize(
        ("path", "made"),
        [
            ("title", {"title": "x"}),
            ("name.givenName", {"name": {"givenName": "x"}}),
            ("emails", {"emails": [{"value": "x"}]}),
            ('emails[type eq "work"].value', {"emails": [{"type": "work", "value": "x"}]}),
            (
                'emails[type eq "a\\"b" and primary eq true].display',
                {"emails": [{"type": 'a"b', "primary": True, "display": "x"}]},
            ),
            (f"{ENTERPRISE}:department", {ENTERPRISE: {"department": "x"}}),
            (f"{ENTERPRISE}:manager.value", {ENTERPRISE: {"manager": {"value": "x"}}}),
            ("urn:ietf:params:scim:schemas:core:2.0:User:title", {"title": "x"}),
        ],
    )
    def test_a_value_is_put_and_taken_out(self, path: str, made: dict[str, Any]) -> None:
        place = AttributePath.parse(path)
        resource: dict[str, Any] = {}
        place.put(resource, "x")
        assert resource == made
        assert place.get(resource) == "x"
        place.put(resource, None)
        assert resource == {}

    def test_other_values_stay(self) -> None:
        resource: dict[str, Any] = {"emails": [{"type": "home", "value": "h"}, {"type": "Work", "value": "w"}]}
        place = AttributePath.parse('emails[type eq "work"].value')
        assert place.get(resource) == "w"
        place.put(resource, "new")
        assert resource == {"emails": [{"type": "home", "value": "h"}, {"type": "Work", "value": "new"}]}
        place.put(resource, None)
        assert resource == {"emails": [{"type": "home", "value": "h"}]}
        assert place.get(resource) is None

    def test_a_portal_that_keeps_no_types(self) -> None:
        resource: dict[str, Any] = {"emails": [{"value": "w"}]}
        place = AttributePath.parse('emails[type eq "work"].value')
        assert place.get(resource) == "w"
        place.put(resource, "new")
        assert resource == {"emails": [{"value": "new"}]}

    def test_without_conditions_the_primary_one(self) -> None:
        emails = [{"value": "a"}, {"value": "b", "primary": True}]
        assert AttributePath.parse("emails.value").get({"EMAILS": emails}) == "b"

    @pytest.mark.parametrize(
        "text", ["", "a b", "emails[type]", 'emails[type ne "x"]', 'emails[type eq "x" and ]', "1"]
    )
    def test_what_cannot_be_used(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"SCIM attribute|filter"):
            AttributePath.parse(text)


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "complaint"),
        [
            ({"url": "portal.example/scim"}, "whole address"),
            ({"url": "ftp://portal.example"}, "whole address"),
            ({"url": "https://me:secret@portal.example/scim"}, "user and password out"),
            ({"url": "https://portal.example/scim?a=b"}, "leave out what follows"),
            ({"url": "https://p.example", "token": "x", "username": "u", "password": "p"}, "choose one"),
            ({"url": "https://p.example", "username": "u"}, "belong together"),
            ({"url": "https://p.example", "client_id": "c", "client_secret": "s"}, "belong together"),
            ({"url": "https://p.example", "fields": {"x": "a b"}}, "no SCIM attribute"),
            ({"url": "https://p.example", "fields": {"username": "nickName"}}, "place of its own"),
            ({"url": "https://p.example", "required": {"title": "{oops"}}, "single"),
            ({"url": "https://p.example", "duplicate_status": [200]}, "400"),
        ],
    )
    def test_mistakes_are_named(self, options: dict[str, Any], complaint: str) -> None:
        with pytest.raises(ValidationError, match=complaint):
            ScimOptions.model_validate(options)

    def test_no_secret_is_printed(self) -> None:
        options = ScimOptions.model_validate({"url": "https://p.example", "token": "hush-hush"})
        assert "hush" not in repr(options)
        assert "hush" not in str(options.model_dump_json())
