from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from musterroll.errors import PipelineError
from musterroll.pipeline.files import PipelineFile, read_chain, standard_text


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(path: str, text: str) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def labels(chain: tuple[PipelineFile, ...]) -> list[str]:
    return [document.place.label for document in chain]


def error_of(file: Path) -> PipelineError:
    with pytest.raises(PipelineError) as caught:
        read_chain(file, Path.cwd())
    return caught.value


def test_files_extend_one_another_and_in_the_end_the_standard() -> None:
    write("base.toml", "a = 1")
    write("teams/team.toml", 'extends = "../base.toml"')
    chain = read_chain(write("teams/mine/acme.toml", 'extends = "../team.toml"'), Path.cwd())
    files = [Path("base.toml"), Path("teams/team.toml"), Path("teams/mine/acme.toml")]
    assert labels(chain) == ["standard", *map(str, files)]
    assert [document.place.folder.resolve() for document in chain[1:]] == [file.parent.resolve() for file in files]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ["standard", "a.toml"]), ('extends = "standard"', ["standard", "a.toml"]), ("extends = false", ["a.toml"])],
)
def test_what_extends_can_say(text: str, expected: list[str]) -> None:
    assert labels(read_chain(write("a.toml", text), Path.cwd())) == expected


def test_without_a_file_the_standard_runs() -> None:
    chain = read_chain(None, Path.cwd())
    assert [document.settings for document in chain] == [tomllib.loads(standard_text())]


def test_circles_are_refused() -> None:
    write("a.toml", 'extends = "b.toml"')
    write("b.toml", 'extends = "./x/../a.toml"')
    Path("x").mkdir()
    assert str(error_of(Path("a.toml"))) == "b.toml: extends: the files extend one another in a circle"


def test_a_missing_file_is_named_with_a_suggestion() -> None:
    write("acme.toml", "")
    error = error_of(Path("amce.toml"))
    assert (error.code, str(error)) == (
        "pipeline.not_found",
        'amce.toml: the file does not exist, did you mean "acme.toml"?',
    )


def test_a_missing_base_is_the_mistake_of_the_file_that_says_so() -> None:
    write("base.toml", "")
    error = error_of(write("sub/acme.toml", 'extends = "../bsae.toml"'))
    assert error.code == "pipeline.not_found"
    assert str(error).endswith('acme.toml: extends: the file bsae.toml does not exist, did you mean "base.toml"?')


def test_a_file_is_not_told_to_extend_itself() -> None:
    error = error_of(write("acme.toml", 'extends = "acne.toml"'))
    assert str(error) == "acme.toml: extends: the file acne.toml does not exist"


@pytest.mark.parametrize("extends", ["true", "3", '""', "[]"])
def test_extends_must_be_a_path(extends: str) -> None:
    error = error_of(write("a.toml", f"extends = {extends}"))
    assert str(error) == "a.toml: extends: should be the path of a file, or false to extend nothing"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'name = "acme"\nmatch = [', 'a.toml: line 2, column 9: this "[" is not closed'),
        (b"name = \n", 'a.toml: line 1, column 8: the value is missing after "="'),
        (b'a = 1\nb = "\xe4"', "a.toml: line 2 is not UTF-8 text"),
        (b"a = " + b"[" * 5000, "nested too deeply"),
        (b"a = " + b"9" * 5000, "a.toml: "),
        (b"[profiles]\nx = 1", "a.toml: profiles: "),
        (b"PK\x03\x04\x14\x00\xfc", "a.toml: this is no text file; the pipeline file is one, in TOML"),
    ],
)
def test_what_is_no_pipeline_file_is_one_line(content: bytes, said: str) -> None:
    Path("a.toml").write_bytes(content)
    error = error_of(Path("a.toml"))
    assert (error.code, len(error.mistakes)) == ("pipeline.unreadable", 1)
    assert said in str(error)
    assert "\n" not in str(error)


def test_a_folder_is_no_pipeline_file() -> None:
    Path("a.toml").mkdir()
    assert "folder" in str(error_of(Path("a.toml")))


@pytest.mark.parametrize("extends", ["a\\u0000b", "~no-such-user/base.toml"])
def test_what_cannot_be_a_path_is_one_line(extends: str) -> None:
    assert len(error_of(write("a.toml", f'extends = "{extends}"')).mistakes) == 1


def test_a_byte_order_mark_does_no_harm() -> None:
    Path("a.toml").write_bytes(b'\xef\xbb\xbfname = "acme"')
    assert read_chain(Path("a.toml"), Path.cwd())[-1].settings == {"name": "acme"}
