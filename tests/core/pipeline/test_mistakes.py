"""A pipeline with mistakes: every one is named, with file and dotted path, and none shows a secret."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musterroll.errors import PipelineError
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.settings import Settings
from musterroll.pipeline.sheet_settings import SheetSettings

from .conftest import HEAD, Load

Mistakes = Callable[..., list[str]]
FIELD = "[[sheet.fields]]\nname = 'x'\nheading = 'X'\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # the shape of the file
        ("macth = ['username']", 'macth: unknown option, did you mean "match"?'),
        ("on_error = 'abrot'", 'on_error: must be "abort" or "skip", did you mean "abort"?'),
        ("on_error = true", 'on_error: must be "abort" or "skip"'),
        # types of fields
        (FIELD + "type = 'dat'", 'sheet.fields[x].type: must be "text", "integer", "date"'),
        (FIELD + "type = 'date'\nformats = ['DD.MM']", "sheet.fields[x].formats[0]: write a form of YYYY, MM"),
        (FIELD + "type = 'date'\nformats = ['DD.MM.YY']", 'sheet.fields[x].formats: with "DD.MM.YY", say which'),
        (FIELD + "role = 'valid_until'\nformats = ['DD.MM.YY']", 'sheet.fields[x].formats: with "DD.MM.YY", say which'),
        (FIELD + "type = 'date'\nfirst_year = 1930", "sheet.fields[x].first_year: is for a form with a year of two"),
        (FIELD + "type = 'integer'\nfirst_year = 1930", 'sheet.fields[x].first_year: is for a field of type = "date"'),
        (FIELD + "type = 'date'\nto = 'DD.MM.YY'", "sheet.fields[x].to: this is how dates go on from here"),
        (FIELD + "type = 'date'\nto = 'DD MMM YYYY'", "sheet.fields[x].to: this is how dates go on from here"),
        (FIELD + "type = 'date'\nformats = ['YYYY-DD-MM']", 'sheet.fields[x].formats: with "YYYY-DD-MM", 2026'),
        (FIELD + "formats = ['DD.MM.YYYY']", 'sheet.fields[x].formats: is for a field of type = "date"'),
        (FIELD + "type = 'integer'\ntrue = ['x']", 'sheet.fields[x].true: is for a field of type = "boolean"'),
        (FIELD + "type = 'date'\nchoices = ['x']", 'sheet.fields[x].choices: is for a field of type = "choice"'),
        (FIELD + "type = 'choice'", "sheet.fields[x].type: needs choices"),
        (FIELD + "type = 'boolean'\ntrue = ['X', 'Nein']", 'sheet.fields[x].true: "Nein" means no already'),
        (FIELD + "type = 'boolean'\ntrue = ['a']\nfalse = ['A']", 'sheet.fields[x].false: "A" means yes already'),
        (FIELD + "type = 'date'\nrole = 'active'", 'sheet.fields[x].type: the role "active" says what stands there'),
        ("[[sheet.fields]]\nname = 'email'\ntype = 'email'", 'sheet.fields[email].type: "email" is of its own kind'),
        ("[sheet.defaults]\nx = 'soon'\n" + FIELD + "type = 'date'", "sheet.defaults.x: This is no date"),
        ("[scope]\nx = 'ja'\n" + FIELD + "type = 'boolean'", 'scope.x: is not how such a value is spelt; write "true"'),
        (
            FIELD + "type = 'boolean'\n[[sheet.fields]]\nname = 'y'\nheading = 'Y'\nrequired_when = { x = 'yes' }",
            'sheet.fields[y].required_when.x: no value of "x" is "yes"; write "true"',
        ),
        (
            FIELD + "type = 'integer'\n[[notifiers]]\nname = 'outbox'\nwhen = { x = '007' }",
            'notifiers[outbox].when: no value of "x" is "007"; write "7"',
        ),
        (
            "[severity]\n'phone.trunk_prefx' = 'ignore'",
            'severity."phone.trunk_prefx": there is no such code, did you mean "phone.trunk_prefix"?',
        ),
        (
            "[severity]\n'surname.to_long' = 'ignore'",
            'severity."surname.to_long": there is no such code, did you mean "surname.too_long"?',
        ),
        ("[severity]\n'column.missing' = 'warning'", 'severity."column.missing": is an error for every customer'),
        (
            "[severity]\n'username.duplicate' = 'warning'",
            'severity."username.duplicate": is an error for every customer',
        ),
        (
            "match = ['email']\n[severity]\n'email.duplicate' = 'ignore'",
            'severity."email.duplicate": is an error for every customer',
        ),
        ("[severity]\n'usage' = 'ignore'", "severity"),
        (
            "[severity]\n'email.invalid' = 'eror'",
            'severity."email.invalid": must be "error", "warning" or "ignore", did you mean "error"?',
        ),
        ("confirm = 'perhaps'", "confirm: should be true or false"),
        ("match = []", "match: must not be empty"),
        ("match = ['User Name']", "match[0]: must be lower-case letters, digits and _, and begin with a letter"),
        ("repairs = 'phone.invalid'", 'repairs: must be "safe", or a list, in square brackets'),
        ("repairs = ['phone']", 'repairs[0]: must be the code of a problem, e.g. "phone.trunk_prefix"'),
        ("match = 'username'", "match: should be a list, in square brackets"),
        ("plugins = 3", "plugins: should be a list, in square brackets"),
        ("sheet = 3", "sheet: should be a table"),
        ("[invites]\nvalid_days = 1.5", "invites.valid_days: should be a whole number"),
        ("[invites]\nvalid_days = 0", "invites.valid_days: must be at least 1"),
        ("[sheet]\nheadingrow = 1", 'sheet.headingrow: unknown option, did you mean "heading_row"?'),
        (
            "[[sheet.fields]]\nname = 'username'\nmaxlength = 1",
            'sheet.fields[username].maxlength: unknown option, did you mean "max_length"?',
        ),
        ("[[sheet.fields]]\nname = 'department'", "sheet.fields[department].heading: is needed"),
        (
            "[[sheet.fields]]\nname = 'surname'\nchoices = ['York', 'YORK']",
            'sheet.fields[surname].choices: "YORK" is "York" again',
        ),
        (
            "[[sheet.fields]]\nname = 'surname'\nchoices = ['York', 'York']",
            'sheet.fields[surname].choices: "York" is "York" again',
        ),
        (
            "[[sheet.fields]]\nname = 'surname'\nchoices = ['York', 'Yorkshire']\nmax_length = 5",
            'sheet.fields[surname].choices: "Yorkshire" is longer than the field allows (5 characters)',
        ),
        ("[[sheet.fields]]\nname = 'surname'\nchoices = ['']", "sheet.fields[surname].choices[0]: must not be empty"),
        (
            "[[sheet.fields]]\nname = 'password'\nchoices = ['x']",
            "sheet.fields[password].choices: a password cannot be chosen from a list",
        ),
        (
            "sheet.defaults.surname = 'Yrok'\n[[sheet.fields]]\nname = 'surname'\nchoices = ['York']",
            'sheet.defaults.surname: is not one of the field\'s choices, did you mean "York"?',
        ),
        ("[[notifiers]]\nname = 'outbox'\non = ['invites']", 'notifiers[outbox].on[0]: must be "invite" or "finished"'),
        ("[validators.corporate-mail]\nuse = 'x'", "validators: write each as a table: [[validators]]"),
        ("[[validators]]\nuse = 'length'", "validators[0]: needs a name of its own"),
        (
            "[[validators]]\nname = 'lenght'\nenabled = false",
            'validators[lenght].use: is needed; or is the inherited "length" meant?',
        ),
        # plugins and their options
        ("[backend]\nuse = 'scmi'", 'backend.use: unknown user backend "scmi", did you mean "scim"?'),
        ("[backend]\nuse = 'outbox'", 'backend.use: unknown user backend "outbox", it is a notifier'),
        (
            "[backend.options]\ntokn = 'x'",
            'backend.options.tokn: unknown option, did you mean "token"?',
        ),
        ("[backend.options.login]\nusr = 'x'", 'backend.options.login.usr: unknown option, did you mean "user"?'),
        ("[backend.options]\ntoken = { evn = 'X' }", 'backend.options.token: write { env = "NAME" }'),
        ("[backend.options]\nrules = [{ x = 1 }]", "backend.options.rules[0].x: should be text"),
        (
            "[[validators]]\nname = 'corporate-mail'\nuse = 'email-domain'\noptions.domain = 'x'",
            'validators[corporate-mail].options.domain: unknown option, did you mean "domains"?',
        ),
        ("[reader]\nuse = 'textyy'", 'reader.use: unknown reader "textyy", did you mean "texty"?'),
        ("[readers.textyy]\n", 'readers.textyy: unknown reader "textyy", did you mean "texty"?'),
        ("[readers.texty]\ndelim = 1", 'readers.texty.delim: unknown option, did you mean "delimiter"?'),
        (
            "[reader]\nuse = 'texty'\noptions.delimiter = 1\n[readers.texty]\nquote = 2",
            """reader.options.delimiter: should be text, in quotation marks
acme.toml: readers.texty.quote: should be text, in quotation marks""",
        ),
        ("[reader]\nuse = 'licensed'", "reader.options.licence: is needed"),
        # how the parts of the sheet fit one another
        ("match = ['usernam']", 'match[0]: there is no field "usernam", did you mean "username"?'),
        ("match = ['username', 'password']", 'match[1]: "password" cannot say who a user is'),
        ("match = ['groups']", 'match[0]: "groups" cannot say who a user is'),
        (
            "match = ['boss', 'username']\n[[sheet.fields]]\nname = 'boss'\nheading = 'Boss'\ntype = 'user'",
            'match[0]: "boss" names another user',
        ),
        ("match = ['username', 'username']", 'match[1]: "username" is named twice'),
        ("match = ['surname']\nsheet.omit = ['surname']", 'match[0]: the sheet does not have "surname"'),
        ("[sheet]\nheading_row = 3", "sheet.heading_row: must come before the first row, which is 3"),
        ("[sheet]\nheading_row = 4\nfirst_row = 4", "sheet.first_row: must come after the heading row, which is 4"),
        ("[sheet]\nomit = ['surnam']", 'sheet.omit[0]: there is no field "surnam", did you mean "surname"?'),
        ("[sheet]\nomit = ['username']", "sheet.omit: the username is needed; say how to make it"),
        ("[sheet.aliases]\nusernam = ['Login']", 'sheet.aliases.usernam: there is no field "usernam"'),
        ("[sheet.aliases]\n'User name' = ['x']", 'sheet.aliases."User name": must be lower-case letters'),
        ("[sheet.aliases]\nsurname = [' FORENAME']", 'sheet.aliases.surname[0]: "FORENAME" already means'),
        ("[sheet.aliases]\nemail = ['phone']", 'sheet.aliases.email[0]: "phone" already means the field "phone"'),
        (
            "[[sheet.fields]]\nname = 'mail'\nheading = 'EMail'",
            'sheet.fields[mail].heading: "EMail" already means the field "email" (as "Email")',
        ),
        ("[sheet.defaults]\nsurnam = 'x'", 'sheet.defaults.surnam: there is no field "surnam"'),
        ("[sheet.defaults]\nsurname = 3", "sheet.defaults.surname: should be text, in quotation marks, or write"),
        ("[sheet.defaults]\nsurname = { env = 'HOME' }", "sheet.defaults.surname: should be text; only the password"),
        ("[sheet.defaults]\nsurname = '" + "x" * 51 + "'", "sheet.defaults.surname: is longer than the field allows"),
        ("[sheet.compose]\nusername = '{emial}'", 'sheet.compose.username: there is no field "emial", did you mean'),
        ("[sheet.compose]\nusername = '{email'", 'sheet.compose.username: a single "{"'),
        ("[sheet.compose]\nusername = '{password}'", "sheet.compose.username: a password cannot be used"),
        ("[sheet.compose]\npassword = '{email}'", "sheet.compose.password: a password cannot be made"),
        ("[sheet.compose]\nemail = '{email}'", "sheet.compose.email: cannot be made of itself"),
        (
            "[sheet.compose]\nemail = '{username}'\nusername = '{forename}'",
            'sheet.compose.email: cannot be made of "username", which is composed itself',
        ),
        (
            "[sheet]\nomit = ['email']\ncompose.username = '{email}'",
            'sheet.compose.username: is made of "email", which the sheet does not have',
        ),
    ],
)  # fmt: skip
def test_a_mistake_says_where_and_what(mistakes: Mistakes, text: str, said: str) -> None:
    found = mistakes(text) if "plugins" not in text else mistakes(head=f'name = "acme"\n{text}\n')
    assert f"acme.toml: {said}" in "\n".join(found)
    if "plugins" not in text:
        assert len(found) == len(said.splitlines())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[sheet.fields]]\nname = 'username'\nrole = 'command'", ["sheet.fields[username].role"]),
        (
            "[[sheet.fields]]\nname = 'email'\nrole = 'active'\naliases = { left = ['x'] }",
            ["sheet.fields[email].role"],
        ),
        ("match = ['User Name', 'usernam']", ["match[0]", "match[1]"]),
        (
            "[scope]\nemail = []\nforename = 3\nusername = 'x'\ngroups = ['x']\nsurnam = 'x'",
            ["scope.email", "scope.forename", "scope.groups", "scope.username", "scope.surnam"],
        ),
        ("[[validators]]\nname = 'length'\nwhen = { y = 1 }", ["validators[length].when.y"]),
    ],
)
def test_one_mistake_gives_one_message(mistakes: Mistakes, text: str, said: list[str]) -> None:
    assert [line.split(": ")[1] for line in mistakes(text)] == said


def test_no_field_is_said_in_the_same_words_everywhere(mistakes: Mistakes) -> None:
    found = mistakes("""
match = ["usernam"]
scope.usernam = "x"
[sheet]
omit = ["usernam"]
aliases.usernam = ["x"]
defaults.usernam = "x"
compose.email = "{usernam}"
[[sheet.fields]]
name = "title"
heading = "Title"
required_when = { usernam = "x" }""")
    assert len(found) == 7
    assert all(line.endswith(': there is no field "usernam", did you mean "username"?') for line in found)


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ("'Admin|'", "a level is empty"),
        ("'|'", "a level is empty"),
        ("' '", "must not be empty"),
        ("'Admin;Owners'", "names several groups"),
        ("'Admin\\x'", "stands only before"),
        ("'Admin\\'", "stands only before"),
    ],
)
def test_a_pattern_that_no_group_can_fit_is_a_mistake(mistakes: Mistakes, groups: str, said: str) -> None:
    (found,) = mistakes(f"[privileged]\ngroups = [{groups}]")
    assert found.startswith("acme.toml: privileged.groups[0]: ")
    assert said in found


def test_groups_are_privileged_however_their_levels_are_spaced(load: Load) -> None:
    pipeline = load(r"""[privileged]
groups = [" Admin | Root ", 'R\|D\;x']""")
    assert pipeline.settings.privileged.groups == ("Admin|Root", r"R\|D\;x")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[privileged]\ngroups = []", "privileged.groups"),
        ("[privileged]", "privileged.groups"),
        ("repairs = ['password.policy', 'phone.trunk_prefix', 'surname.control_characters', 'acme.own']", "repairs[0]"),
    ],
)
def test_what_does_nothing_draws_a_warning(load: Load, text: str, path: str) -> None:
    assert [one.path for one in load(text).warnings if one.path != "readers"] == [path]


def test_a_profile_can_take_privileged_groups_away(load: Load) -> None:
    text = "[privileged]\ngroups = ['Admin']\n[profiles.trial.privileged]\ngroups = []"
    assert {one.path for one in load(text, profile="trial").warnings} == {"readers"}


def test_all_mistakes_come_at_once(mistakes: Mistakes) -> None:
    found = mistakes(
        """
        on_error = "maybe"
        [sheet]
        on_blank_row = "maybe"
        aliases = { usernam = ["x"] }
        [[validators]]
        name = "corporate-mail"
        use = "email-domain"
        unknown = 1
        options = { limit = 0 }
        [backend]
        use = "nothing"
        """,
        sets=["invites.send_to=maybe", "no key"],
        profile="live",
        flags={"invites.valid_days": ("soon", "--days")},
    )
    assert sorted(text.partition(": ")[2].partition(": ")[0] for text in found if text.startswith("acme.toml")) == [
        "backend.use",
        "on_error",
        "sheet.aliases.usernam",
        "sheet.on_blank_row",
        "validators[corporate-mail].options.domains",
        "validators[corporate-mail].options.limit",
        "validators[corporate-mail].unknown",
    ]
    assert [text for text in found if not text.startswith("acme.toml")] == [
        '--profile: unknown profile "live"; the pipeline has no profiles',
        "--set: write KEY=VALUE with a dotted key, e.g. invites.send_to=none",
        '--set: invites.send_to: must be "none", "new", "all" or "pending"',
        "--days: invites.valid_days: should be a whole number",
    ]


def test_each_mistake_names_the_file_that_it_is_in(mistakes: Mistakes, folder: Path) -> None:
    (folder / "base.toml").write_text("[invites]\nvalid_days = 'x'\n[backend.options]\nurl = 1", encoding="utf-8")
    text = """
        extends = "base.toml"
        [invites]
        send_to = 1
        [profiles.live]
        confirm = "x"
    """
    assert sorted(mistakes(text, profile="live")) == [
        "acme.toml, profile live: confirm: should be true or false",
        'acme.toml: invites.send_to: must be "none", "new", "all" or "pending"',
        "base.toml: backend.options.url: should be text, in quotation marks",
        "base.toml: invites.valid_days: should be a whole number",
    ]


def test_what_a_plugin_misses_is_the_mistake_of_who_chose_it(mistakes: Mistakes, folder: Path) -> None:
    (folder / "base.toml").write_text("[[validators]]\nname = 'corporate-mail'\nuse = 'email-domain'", encoding="utf-8")
    found = mistakes('extends = "base.toml"', sets=["validators.corporate-mail.options.limit=3"])
    assert found == ["base.toml: validators[corporate-mail].options.domains: is needed"]


def test_a_profile_must_exist(mistakes: Mistakes) -> None:
    text = "[profiles.production]\n[profiles.test]"
    assert mistakes(text, profile="prodction") == [
        '--profile: unknown profile "prodction", did you mean "production"? The profiles are production, test'
    ]


def test_a_file_needs_a_name_of_its_own(mistakes: Mistakes) -> None:
    assert mistakes(head=HEAD.partition("\n")[2]) == ['acme.toml: name: is needed, e.g. name = "acme"']


def test_a_file_that_extends_nothing_must_say_everything(mistakes: Mistakes) -> None:
    found = mistakes("extends = false")
    assert "acme.toml: sheet: is needed" in found
    assert "acme.toml: backend: is needed" in found


def test_a_sheet_without_usernames_is_refused(mistakes: Mistakes) -> None:
    found = mistakes(
        """
        extends = false
        [sheet]
        fields = [{ name = "email", heading = "Email" }]
        """
    )
    assert 'acme.toml: sheet.fields: there is no field "username"; every pipeline needs it' in found


@pytest.mark.parametrize(
    ("plugin", "said"),
    [
        (None, "acme.toml: plugins[0]: own.py: the file does not exist"),
        ("def :", "acme.toml: plugins[0]: own.py: line 1 is not Python: invalid syntax"),
        ("raise RuntimeError('out of\\norder')", "acme.toml: plugins[0]: own.py: RuntimeError: out of order"),
    ],
)
def test_a_local_plugin_must_work(mistakes: Mistakes, folder: Path, plugin: str | None, said: str) -> None:
    if plugin is not None:
        (folder / "own.py").write_text(plugin, encoding="utf-8")
    assert mistakes(head=HEAD + 'plugins = ["own.py"]\n') == [said]


def test_a_local_plugin_must_be_a_path(mistakes: Mistakes) -> None:
    head = HEAD + 'plugins = ["a\\u0000b", "~no-such-user/x.py"]\n'
    assert [text.partition(": ")[2].partition(": ")[0] for text in mistakes(head=head)] == ["plugins[0]", "plugins[1]"]


def test_two_plugins_of_one_name_are_a_mistake_where_it_is_used(mistakes: Mistakes, load: Load, folder: Path) -> None:
    (folder / "own.py").write_text(
        "from musterroll import *\n"
        "@hookimpl\ndef musterroll_user_backends():\n"
        "    yield UserBackendType(name='scim', summary='', options=Options, build=print)\n",
        encoding="utf-8",
    )
    head = HEAD + 'plugins = ["own.py"]\n'
    (mistake,) = mistakes("[backend]\nuse = 'scim'", head=head)
    assert mistake.startswith(
        'acme.toml: backend.use: several plugins bring the user backend "scim": "kit" (musterroll 0)'
    )
    assert '"musterroll:scim" or "own:scim"' in mistake
    assert load("[backend]\nuse = 'own:scim'", head=head).backend.component.name == "scim"
    assert not [warning for warning in load(head=head).warnings if "several" in warning.message]


def test_no_mistake_shows_a_secret(mistakes: Mistakes) -> None:
    canary = "hunter2-canary"
    found = mistakes(
        f"""
        on_error = "{canary}"
        [sheet.defaults]
        password = ["{canary}"]
        [backend.options]
        token = ["{canary}"]
        api_key = ["{canary}"]
        rules = ["{canary}"]
        login = "{canary}"
        """,
        sets=[canary, f"a b={canary}", f"invites.send_to={canary}", f"{canary}{{}}"],
    )
    assert len(found) == 8
    assert canary not in "".join(found)


def test_a_plugin_that_breaks_over_its_options_is_named(mistakes: Mistakes, folder: Path) -> None:
    (folder / "own.py").write_text(
        "from musterroll import *\n"
        "from pydantic import field_validator\n"
        "class Odd(Options):\n"
        "    key: str = ''\n"
        "    @field_validator('key')\n"
        "    @classmethod\n"
        "    def look(cls, key):\n"
        "        return {}[key]\n"
        "@hookimpl\ndef musterroll_notifiers():\n"
        "    yield NotifierType(name='odd', summary='', options=Odd, build=print)\n",
        encoding="utf-8",
    )
    text = "[[notifiers]]\nname = 'mine'\nuse = 'odd'\noptions.key = 'geheim'"
    assert mistakes(text, head=HEAD + 'plugins = ["own.py"]\n') == [
        "acme.toml: notifiers[mine].options: the plugin broke while checking this: KeyError"
    ]


def test_a_file_that_is_not_there_has_a_code_of_its_own(folder: Path) -> None:
    with pytest.raises(Exception, match=r"^acme.toml: the file does not exist$") as caught:
        load_pipeline(Path("acme.toml"))
    assert getattr(caught.value, "code", None) == "pipeline.not_found"


VALUES = st.recursive(
    st.sampled_from(["", "x", "username", "auto", "{email}", "*", "name"])
    | st.integers(-1, 5)
    | st.booleans()
    | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "use", "options", "env", "file", "username", "a b", "[x]"]), inner)
    ),
    max_leaves=6,
)
PLACES = st.sampled_from(
    [*Settings.model_fields, "profiles", *(f"sheet.{name}" for name in SheetSettings.model_fields), "backend.options"]
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(PLACES, VALUES, min_size=1, max_size=4))
def test_no_value_anywhere_breaks_the_loading(folder: Path, said: dict[str, Any]) -> None:
    data: dict[str, Any] = {"name": "acme"}
    for place, value in said.items():
        head, _, tail = place.partition(".")
        if not tail:
            data[head] = value
        elif isinstance(data.setdefault(head, {}), dict):
            data[head][tail] = value
    (folder / "acme.toml").write_text(tomli_w.dumps(data), encoding="utf-8")
    with suppress(PipelineError):
        load_pipeline(Path("acme.toml"), external_plugins=False)
