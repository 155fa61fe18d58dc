"""rota.toml: every mistake is a sentence, and the example is true."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.domain.reservations import Reservation
from rota.errors import BadSettings
from rota.ledger.deadlines import Deadline
from rota.policy.quantum import DEFAULT_BOUNDS, Bounds
from rota.settings import Settings, load_settings
from rota.timetable import ReservationSettings, check_reservations
from rota.written import Section
from tests.builders import a_fleet

FLEET = a_fleet(big=("h100", 2), small=("rtx3090", 2))
EXAMPLE = Path(__file__).resolve().parents[1] / "docs" / "rota.example.toml"


RESERVATION = """\
[[reservations]]
name = "course"
gpus = 2
begins = 2026-12-01T09:00:00
ends = 2026-12-01T12:00:00
members = ["kim"]
"""


def local(*moment: int) -> float:
    """Epoch seconds of a moment on this machine's clock."""
    return datetime(*moment).timestamp()  # type: ignore[arg-type]  # year, month, day, ...


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
        if isinstance(section.default, Section):
            for name, field in type(section.default).model_fields.items():
                known = field.alias or name
                assert re.search(rf"^(# {known} = |\[\w+\.{known}\])", text, re.MULTILINE), f"{known} is missing"


def test_the_examples_reservation_and_deadline_can_be_switched_on(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    settings = load(tmp_path, re.sub(r"^#   ", "", text, flags=re.MULTILINE))
    (reservation,), (deadline,) = settings.reservations, settings.deadlines
    assert set(ReservationSettings.model_fields) - reservation.model_fields_set == {"projects"}
    assert reservation.value() == Reservation(
        "course", 2, local(2026, 12, 1, 9), local(2026, 12, 1, 12), ("rtx3090",), ("kim",)
    )
    assert deadline.value() == Deadline("vision", local(2026, 12, 1, 23, 59), 7 * 86400.0)


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
        ('[turns]\nquantum_min = "5h"\nquantum_max = "1h"', "Make quantum_max at least as long"),
        ("[tiers.speeds]\nh100 = 0", "[tiers.speeds] h100"),
        (RESERVATION.replace("T12", "T08"), "course ends before it begins"),
        (RESERVATION.replace("2026-12-01T09:00:00", '"tomorrow"'), "'tomorrow' is not a time. Write it without quotes"),
        (
            RESERVATION.replace("gpus", "gpu"),
            "[[reservations]] number 1, gpu: there is no such setting. Did you mean gpus?",
        ),
        (RESERVATION.replace("members", "# members"), "course is for nobody"),
        ("[reservations]\ngpus = 1", "rota.example.toml"),
        ('[[deadlines]]\nproject = "vision"\nat = 2026-12-01', "[[deadlines]] number 1, early is missing"),
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


def test_the_quantum_is_fixed_or_adapts_between_bounds(tmp_path: Path) -> None:
    assert Settings().turns.bounds() == DEFAULT_BOUNDS
    assert load(tmp_path, '[turns]\nquantum = "4h"').turns.bounds() == Bounds(4 * 3600.0, 4 * 3600.0)
    assert load(tmp_path, '[turns]\nquantum = "4h"').rules().quantum_s == 4 * 3600.0
    narrow = load(tmp_path, '[turns]\nquantum = "auto"\nquantum_min = "1h"\nquantum_max = "2h"')
    assert narrow.turns.bounds() == Bounds(3600.0, 7200.0)
    assert narrow.rules().quantum_s == 3600.0


def test_times_may_name_their_zone(tmp_path: Path) -> None:
    seoul = load(tmp_path, RESERVATION.replace("09:00:00", "09:00:00+09:00")).reservations[0]
    assert seoul.begins_at == datetime(2026, 12, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gpus": 5}, "it keeps 5 GPUs, and there are 4"),
        ({"gpus": 3, "tiers": ("rtx3090",)}, "there are 2 of tier rtx3090"),
        ({"tiers": ("h200",)}, "there is no tier 'h200' here. Tiers: h100, rtx3090."),
    ],
)
def test_what_the_fleet_cannot_keep_is_refused(changes: dict[str, object], said: str) -> None:
    one = replace(Reservation("course", 2, 0.0, 100.0, (), ("kim",)), **changes)  # type: ignore[arg-type]  # names checked
    with pytest.raises(BadSettings, match=re.escape(said)):
        check_reservations([one], FLEET)


def test_reservations_that_do_not_fit_beside_each_other_are_refused() -> None:
    first, second = Reservation("a", 3, 0.0, 100.0, (), ("kim",)), Reservation("b", 2, 50.0, 150.0, (), ("lee",))
    with pytest.raises(BadSettings, match="a and b are at the same time and keep 5 GPUs together; there are 4"):
        check_reservations([first, second], FLEET)
    check_reservations([first, replace(second, begins_at=100.0)], FLEET)
    with pytest.raises(BadSettings, match="two of that name"):
        check_reservations([first, replace(second, name="a")], FLEET)
