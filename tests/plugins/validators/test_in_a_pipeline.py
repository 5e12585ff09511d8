"""Rules that name a field which is not there are mistakes of the pipeline, found when it is checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from musterroll.errors import PipelineError
from musterroll.pipeline.loader import load_pipeline

_RULES = """
[[validators]]
name = "if"
use = "condition"
options = { when = { surnam = "A" }, must = { forename = 3, username = "x" } }

[[validators]]
name = "form"
use = "pattern"
options = { field = "surnam", pattern = "A" }

[[validators]]
name = "twice"
use = "compare"
options = { field = "email", other = "mail", rule = "equal" }

[[validators]]
name = "domain"
use = "email-domain"
options = { field = "mail", domains = ["acme.example"] }

[[validators]]
name = "list"
use = "choices"
options = { field = "site", values = ["York"] }

[[validators]]
name = "list-2"
use = "choices"
options = { field = "username" }

[[validators]]
name = "list-3"
use = "choices"
options = { field = "password", values = ["a"] }

[[validators]]
name = "email"
options = { field = "emial" }

[[validators]]
name = "phone"
options = { calling_code = "code" }

[[validators]]
name = "password"
options = { not_containing = ["username", "name"] }

[[validators]]
name = "unique"
options = { warn = ["mail"] }

[[groups]]
name = "groups-column"
options = { field = "group" }

[[groups]]
name = "sites"
use = "mapping"
options = { field = "site", groups = { York = "A" } }

[[groups]]
name = "sites-2"
use = "mapping"
options = { field = "password", groups = { York = "A" } }
"""

ALL = "; the fields are email, username, forename, surname, password, calling_code, phone, groups"


def test_all_come_at_once_each_with_its_path_and_file(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(f'name = "acme"\n{_RULES}', encoding="utf-8")
    with pytest.raises(PipelineError) as caught:
        load_pipeline(tmp_path / "acme.toml", external_plugins=False)

    said = {str(mistake).partition("acme.toml: ")[2] for mistake in caught.value.mistakes}
    assert said == {
        'validators[if].options.must.forename: values of a sheet are texts; write "3"',
        'validators[if].options.when.surnam: there is no field "surnam", did you mean "surname"?',
        'validators[form].options.field: there is no field "surnam", did you mean "surname"?',
        'validators[twice].options.other: there is no field "mail", did you mean "email"?',
        'validators[domain].options.field: there is no field "mail", did you mean "email"?',
        f'validators[list].options.field: there is no field "site"{ALL}',
        'validators[list-2].options: "username" has no choices; give them here as values, or as choices of the field',
        "validators[list-3].options: a password cannot be chosen from a list",
        'validators[email].options.field: there is no field "emial", did you mean "email"?',
        f'validators[phone].options.calling_code: there is no field "code"{ALL}',
        'validators[password].options.not_containing[1]: there is no field "name", did you mean "surname"?',
        'validators[unique].options.warn[0]: there is no field "mail", did you mean "email"?',
        'groups[groups-column].options.field: there is no field "group", did you mean "groups"?',
        f'groups[sites].options.field: there is no field "site"{ALL}',
        "groups[sites-2].options.field: a password cannot say which groups a user is in",
    }


def test_what_a_rule_looks_at_by_default_need_not_be_there(tmp_path: Path) -> None:
    text = """
name = "tiny"
extends = false
on_error = "abort"
on_inactive = "error"
absent = "keep"
match = ["username"]
reader.use = "auto"
password = { required = "never", on_existing = "keep" }
membership = { mode = "add", missing = "create", max_levels = 32 }
undo = { created = "deactivate" }
invites = { send_to = "none", valid_days = 14, by = "notifiers" }
backend.use = "memory"
validators = [{ name = "phone", use = "phone" }, { name = "unique", use = "unique" }]

[sheet]
heading_row = 1
first_row = 2
on_blank_row = "stop"
on_blank_cell = "keep"

[[sheet.fields]]
name = "username"
heading = "Login"
"""
    (tmp_path / "tiny.toml").write_text(text, encoding="utf-8")
    assert load_pipeline(tmp_path / "tiny.toml", external_plugins=False).name == "tiny"
