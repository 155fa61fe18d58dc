"""rota.toml: every mistake is a sentence, and the example is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.errors import BadSettings
from rota.settings import Settings, load_settings

EXAMPLE = Path(__file__).resolve().parents[1] / "docs" / "rota.example.toml"


def load(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "rota.toml").write_text(text)
    return load_settings(tmp_path / "rota.toml")


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.toml") == Settings() == load(tmp_path, "")


def test_the_example_has_every_setting_with_its_default(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    switched_on = re.sub(r"^# (\w+ = (?!\d))", r"\1", text, flags=re.MULTILINE)
    assert load(tmp_path, text) == Settings()
    assert load(tmp_path, switched_on) == Settings()
    for section in Settings.model_fields.values():
        for name, field in type(section.default).model_fields.items():
            known = field.alias or name
            assert re.search(rf"^(# {known} = |\[\w+\.{known}\])", text, re.MULTILINE), f"{known} is missing"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[turns]\nquantum = "4x"', "[turns] quantum: '4x' is not a duration. Write it like"),
        ("[turns]\nquantum = 4", "[turns] quantum"),
        ("[turns\n", "line 1"),
        ('[turns]\nquantm = "4h"', "Did you mean quantum?"),
        ("[webb]\n", "Did you mean web?"),
        ('[web]\nlisten = "everywhere"', "127.0.0.1:8420"),
        ('[turns]\ngrace = "1h"\ngrace_max = "1min"', "grace_max"),
        ("[shares.projects]\nvision = -1", "[shares.projects] vision"),
        ("turns = 3", "turns"),
    ],
)
def test_mistakes_are_named_with_their_place_and_their_fix(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadSettings) as refused:
        load(tmp_path, text)
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) <= 4


def test_a_longer_grace_alone_raises_its_maximum(tmp_path: Path) -> None:
    turns = load(tmp_path, '[turns]\ngrace = "1h"').turns
    assert (turns.grace_s, turns.grace_max_s) == (3600.0, 3600.0)


@given(st.text(max_size=80))
def test_no_file_whatever_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("settings") / "rota.toml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        load_settings(path)
    except BadSettings as refused:
        assert str(refused)
