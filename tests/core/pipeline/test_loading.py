"""A pipeline that has no mistakes: what comes of layers, profiles, flags, paths and secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from musterroll import Purpose, Secret
from musterroll.errors import PipelineError
from musterroll.pipeline.files import standard_text
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.pipeline import Instance, Pipeline

from .conftest import HEAD, Load


def option(instance: Instance, name: str) -> Any:
    return getattr(instance.options, name)


def test_a_pipeline_needs_only_a_name_and_extends_the_standard(load: Load) -> None:
    pipeline = load()
    assert pipeline.name == "acme"
    assert list(pipeline.fields) == [
        "email", "username", "forename", "surname", "password", "calling_code", "phone", "groups",
    ]  # fmt: skip
    assert [one.label for one in pipeline.validators][:2] == ["validators[required]", "validators[length]"]
    assert [one.label for one in pipeline.resolvers] == ["groups[groups-column]"]
    assert (pipeline.backend.label, pipeline.backend.component.name) == ("backend", "directory")
    assert [(one.label, one.on) for one in pipeline.notifiers] == [("notifiers[outbox]", frozenset({Purpose.INVITE}))]
    assert pipeline.settings.invites.send_to == "new"


def test_later_layers_win(load: Load, folder: Path) -> None:
    (folder / "base.toml").write_text('[invites]\nsend_to = "none"\nvalid_days = 1\n', encoding="utf-8")
    text = """
        extends = "base.toml"
        [invites]
        valid_days = 2
        [profiles.live.invites]
        valid_days = 3
    """

    def invites(**more: Any) -> tuple[str, int]:
        said = load(text, **more).settings.invites
        return said.send_to, said.valid_days

    assert invites() == ("none", 2)
    assert invites(profile="live") == ("none", 3)
    assert invites(profile="live", sets=["invites.valid_days=4"]) == ("none", 4)
    flags = {"invites.valid_days": (5, "--days"), "invites.send_to": ("all", "--invites")}
    assert invites(profile="live", sets=["invites.valid_days=4"], flags=flags) == ("all", 5)


def test_a_profile_grows_from_file_to_file(load: Load, folder: Path) -> None:
    (folder / "base.toml").write_text(
        '[profiles.live.backend]\nuse = "scim"\noptions = { url = "https://base" }', encoding="utf-8"
    )
    pipeline = load(
        """
        extends = "base.toml"
        [backend]
        options = { url = "of the directory" }
        [profiles.live.backend.options]
        api_key = "x"
        """,
        profile="live",
    )
    assert pipeline.profile == "live"
    assert pipeline.backend.component.name == "scim"
    assert (option(pipeline.backend, "url"), option(pipeline.backend, "api_key")) == ("https://base", "x")


def test_an_inherited_element_can_be_taken_out_or_changed(load: Load) -> None:
    text = """
        [[validators]]
        name = "length"
        enabled = false
        [[validators]]
        name = "corporate-mail"
        use = "email-domain"
        options = { domains = ["acme.example"] }
        [[validators]]
        name = "unknown-but-off"
        use = "no-such-plugin"
        enabled = false
    """
    labels = [one.label for one in load(text).validators]
    assert "validators[length]" not in labels
    assert labels[-1] == "validators[corporate-mail]"
    off = load(text, sets=["validators.corporate-mail.enabled=false"])
    assert [one.label for one in off.validators] == labels[:-1]


class TestReaders:
    def test_auto_takes_all_that_need_no_options(self, load: Load) -> None:
        pipeline = load('[readers.texty]\ndelimiter = ";"')
        assert pipeline.reader is None
        assert [(one.label, one.component.name) for one in pipeline.readers] == [
            ("readers.booky", "booky"),
            ("readers.texty", "texty"),
        ]
        assert option(pipeline.readers[1], "delimiter") == ";"
        assert [str(warning) for warning in pipeline.warnings if "licensed" in warning.message] == [
            'acme.toml: readers: the reader "licensed" is left out; it needs options, in [readers.licensed]'
        ]

    def test_auto_takes_those_too_whose_options_are_there(self, load: Load) -> None:
        pipeline = load('[readers.licensed]\nlicence = "x"')
        assert [name for name, _ in pipeline.build_readers()] == ["booky", "licensed", "texty"]

    def test_a_chosen_one_has_both_kinds_of_options(self, load: Load) -> None:
        pipeline = load(
            """
            [reader]
            use = "texty"
            options = { quote = "'" }
            [readers.texty]
            delimiter = ";"
            quote = "|"
            """
        )
        assert pipeline.reader is not None
        assert pipeline.readers == (pipeline.reader,)
        assert (option(pipeline.reader, "delimiter"), option(pipeline.reader, "quote")) == (";", "'")


class TestPaths:
    def test_each_is_relative_to_the_file_that_holds_it(self, load: Load, folder: Path) -> None:
        (folder / "shared").mkdir()
        (folder / "shared" / "base.toml").write_text(
            """
            state = "state"
            plugins = ["more.py"]
            [[validators]]
            name = "corporate-mail"
            use = "email-domain"
            options = { domains = ["acme.example"], word_list = "words.txt" }
            [profiles.live.backend.options]
            path = "live.db"
            """,
            encoding="utf-8",
        )
        (folder / "shared" / "more.py").write_text("", encoding="utf-8")
        text = 'extends = "shared/base.toml"\n[backend.options]\ntoken = { file = "token.txt" }'
        pipeline = load(text)
        assert pipeline.state == folder / "shared" / "state"
        assert option(pipeline.validators[-1], "word_list") == folder / "shared" / "words.txt"
        assert option(pipeline.backend, "token").file == folder / "token.txt"
        assert option(load(text, profile="live").backend, "path") == folder / "shared" / "live.db"

    def test_defaults_are_relative_to_the_pipeline_and_sets_to_the_current_folder(
        self, load: Load, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        load()
        (folder / "elsewhere").mkdir()
        monkeypatch.chdir(folder / "elsewhere")
        file = Path("..", "acme.toml")
        pipeline = load_pipeline(file)
        assert option(pipeline.backend, "path").resolve() == (folder / "users.db").resolve()
        assert pipeline.state.resolve() == (folder / ".musterroll").resolve()
        moved = load_pipeline(file, sets=["backend.options.path=x.db", "state=y"])
        assert option(moved.backend, "path") == folder / "elsewhere" / "x.db"
        assert moved.state == folder / "elsewhere" / "y"

    def test_absolute_paths_stay(self, load: Load, tmp_path: Path) -> None:
        pipeline = load(sets=[f"state={tmp_path / 'x'}"])
        assert pipeline.state == tmp_path / "x"

    def test_without_a_file_the_current_folder_is_looked_in(self, load: Load, folder: Path) -> None:
        load()
        (folder / "acme.toml").rename(folder / "musterroll.toml")
        pipeline = load_pipeline(None)
        assert (pipeline.name, pipeline.file) == ("acme", folder / "musterroll.toml")

    def test_failing_that_the_standard_runs_with_its_state_there(self, folder: Path) -> None:
        pipeline = load_pipeline(None)
        assert (pipeline.name, pipeline.file, pipeline.folder) == ("standard", None, folder)
        assert pipeline.state == folder / ".musterroll"
        assert option(pipeline.backend, "path") == folder / "users.db"


class TestFields:
    def test_the_sheet_can_be_tailored(self, load: Load) -> None:
        fields = load(
            """
            [[sheet.fields]]
            name = "forename"
            heading = "First name"
            [[sheet.fields]]
            name = "department"
            heading = "Department"
            required = true
            max_length = 50
            [sheet]
            omit = ["surname", "username"]
            [sheet.aliases]
            forename = ["Given name", "Forename"]
            [sheet.defaults]
            calling_code = "44"
            [sheet.compose]
            username = "{email}"
            """
        ).fields
        assert (fields["forename"].heading, fields["forename"].aliases) == ("First name", ("Given name", "Forename"))
        assert fields["forename"].max_length == 50
        assert list(fields)[-1] == "department"
        assert fields["department"].required
        assert fields["calling_code"].default == "44"
        assert [name for name, field in fields.items() if field.omitted] == ["username", "surname"]
        assert fields["username"].required
        compose = fields["username"].compose
        assert compose is not None
        assert compose.fill({"email": "a@b"}) == "a@b"

    @pytest.mark.parametrize(("required", "expected"), [("always", True), ("new", False), ("never", False)])
    def test_a_password_is_required_as_its_own_table_says(self, load: Load, required: str, *, expected: bool) -> None:
        password = load(f'[password]\nrequired = "{required}"').fields["password"]
        assert (password.required, password.secret) == (expected, True)

    def test_a_default_password_is_read_from_where_it_is_kept(
        self, load: Load, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("START", "geheim1")
        assert load('[sheet.defaults]\npassword = { env = "START" }').fields["password"].default == Secret("geheim1")
        (folder / "sub").mkdir()
        (folder / "sub" / "start.txt").write_text("geheim2\n", encoding="utf-8")
        (folder / "sub" / "base.toml").write_text(
            '[sheet.defaults]\npassword = { file = "start.txt" }', encoding="utf-8"
        )
        pipeline = load('extends = "sub/base.toml"\nsheet.defaults.calling_code = "44"')
        assert pipeline.fields["password"].default == Secret("geheim2")
        assert pipeline.warnings == load().warnings

    def test_a_pipeline_is_loaded_without_its_secrets(self, load: Load) -> None:
        default = load('[sheet.defaults]\npassword = { env = "NO_SUCH" }').fields["password"].default
        assert isinstance(default, Secret)
        with pytest.raises(PipelineError, match="NO_SUCH"):
            default.reveal()


CANARY = "hunter2-canary"


class TestSecrets:
    TEXT = f"""
        [sheet.defaults]
        password = "{CANARY}"
        [backend.options]
        token = "{CANARY}"
        api_key = "{CANARY}"
        url = "https://admin:{CANARY}@portal.example/?token={CANARY}"
        [backend.options.login]
        password = "{CANARY}"
        [[notifiers]]
        name = "mail"
        use = "smtp"
        enabled = false
        options = {{ token = "{CANARY}", pin = "{CANARY}" }}
    """

    def test_no_literal_secret_shows_anywhere(self, load: Load) -> None:
        pipeline = load(self.TEXT)
        shown = json.dumps(pipeline.merged)
        assert CANARY not in shown
        assert CANARY not in f"{pipeline!r} {pipeline.settings!r} {pipeline.backend!r} {pipeline.fields['password']!r}"
        assert CANARY not in "".join(map(str, pipeline.warnings))
        assert "https://admin:***@portal.example/?token=***" in shown

    def test_literals_draw_a_warning(self, load: Load) -> None:
        paths = [warning.path for warning in load(self.TEXT).warnings if "should not stand here" in warning.message]
        assert paths == ["sheet.defaults.password", "backend.options.token", "backend.options.login.password"]

    def test_references_are_shown_and_draw_none(self, load: Load) -> None:
        pipeline = load('[backend.options]\ntoken = { env = "TOKEN" }')
        assert pipeline.merged["backend"]["options"] == {"token": {"env": "TOKEN"}}
        assert pipeline.warnings == load().warnings

    def test_what_only_sounds_like_a_secret_elsewhere_is_shown(self, load: Load) -> None:
        pipeline = load('[password]\nrequired = "never"\n[sheet.aliases]\npassword = ["PIN"]')
        assert pipeline.merged["password"]["required"] == "never"
        assert pipeline.merged["sheet"]["aliases"] == {"password": ["PIN"]}

    def test_sets_that_hold_one_are_not_kept(self, load: Load) -> None:
        pipeline = load(
            sets=[f"backend.options.token={CANARY}", f"backend.options={{ api_key = '{CANARY}' }}", "confirm=true"],
            flags={"invites.send_to": ("all", "--invites")},
        )
        assert pipeline.set_options == ("confirm=true", "invites.send_to=all")


class TestFingerprint:
    def test_it_changes_with_the_settings(self, load: Load) -> None:
        first = load().settings_sha256
        assert load().settings_sha256 == first
        assert load("on_error = 'skip'").settings_sha256 != first

    def test_a_changed_local_plugin_is_told_from_the_former_one(self, load: Load, folder: Path) -> None:
        (folder / "own.py").write_text("", encoding="utf-8")
        head = HEAD + 'plugins = ["own.py"]\n'
        first = load(head=head)
        assert list(first.plugins.files) == ["own.py"]
        (folder / "own.py").write_text("# changed\n", encoding="utf-8")
        assert load(head=head).plugins != first.plugins
        assert load(head=head).settings_sha256 == first.settings_sha256

    def test_flags_and_their_spelling_as_sets_come_to_the_same(self, load: Load) -> None:
        flagged = load(flags={"invites.send_to": ("all", "--invites")})
        assert load(sets=flagged.set_options).settings_sha256 == flagged.settings_sha256

    def test_it_knows_references_but_no_secrets(self, load: Load) -> None:
        def fingerprint(token: str) -> str:
            return load(f"[backend.options]\ntoken = {token}").settings_sha256

        assert fingerprint('"one"') == fingerprint('"other"')
        assert fingerprint('{ env = "A" }') != fingerprint('{ env = "B" }')


def test_the_built_in_pipeline_has_neither_mistakes_nor_warnings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pipeline = load_pipeline(None, external_plugins=False)
    assert pipeline.warnings == ()
    assert len(pipeline.build_readers()) >= 2
    assert len(pipeline.build_validators()) == 8
    assert list(tmp_path.iterdir()) == []


def test_a_disabled_plugin_is_left_out(load: Load, folder: Path) -> None:
    (folder / "crash.py").write_text("1 / 0", encoding="utf-8")
    pipeline: Pipeline = load(head=HEAD + 'plugins = ["crash.py"]\ndisable = ["crash"]\n')
    assert not [warning for warning in pipeline.warnings if "crash" in str(warning)]


def test_what_does_not_stop_a_pipeline_is_a_warning(load: Load, folder: Path) -> None:
    with (folder / "kit.py").open("a") as kit:
        kit.write("\n@hookimpl\ndef musterroll_validatorz():\n    yield\n")
    head = HEAD + 'disable = ["no-such"]\nvalidators = []\n'
    warnings = list(map(str, load(head=head).warnings))
    assert "acme.toml: validators: an empty list takes nothing out" in warnings[0]
    assert 'acme.toml: disable[0]: there is no plugin "no-such"' in warnings
    assert [text for text in warnings if 'musterroll_validatorz, did you mean "musterroll_validators"?' in text]


class TestShown:
    def test_it_comes_to_the_same_when_it_is_loaded(self, load: Load, folder: Path) -> None:
        base = folder / "base"
        (base / "rules").mkdir(parents=True)
        (base / "rules" / "own.py").write_text("", encoding="utf-8")
        (base / "base.toml").write_text(
            'name = "base"\nplugins = ["rules/own.py"]\nstate = "state"\n'
            '[backend.options]\npath = "x.db"\ntoken = { file = "token.txt" }\n',
            encoding="utf-8",
        )
        first = load('extends = "base/base.toml"\n[backend.options]\nurl = "a"\n')
        (folder / "shown.toml").write_text(tomli_w.dumps(dict(first.shown)), encoding="utf-8")
        second = load_pipeline(Path("shown.toml"))
        assert second.state == base / "state"
        assert option(second.backend, "path") == base / "x.db"
        assert option(second.backend, "token").file == base / "token.txt"
        assert second.plugins == first.plugins
        assert second.shown == first.shown

    def test_one_that_extends_nothing_says_so(self, load: Load, folder: Path) -> None:
        text = standard_text().replace('name = "standard"', "extends = false")
        first = load(text[: text.index("[[validators]]")] + text[text.index("[membership]") :])
        (folder / "shown.toml").write_text(tomli_w.dumps(dict(first.shown)), encoding="utf-8")
        assert first.validators == load_pipeline(Path("shown.toml")).validators == ()
