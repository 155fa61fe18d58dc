"""When is my turn? What a member reads at submit, in lists, and of one job."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from tests.end_to_end.session import Rota
from tests.waiting import wait_until

#: A range in words, near or far.
#: How a range begins; what follows depends on the hour at which the test runs (tests/domain/test_ranges.py has it all).
RANGE = r"(?:now|(?:in|within) \d[\d-]* (?:s|min|h)|(?:today|tomorrow|Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w|\d[\d-]* \w{3}\b)"


def a_busy_rota(make_rota: Callable[..., Rota], fleet: str = "h100:1", quantum: str = "2h", gpus: int = 1) -> Rota:
    """One job has every h100 and another waits, so that forecasts are being made."""
    rota = make_rota(fleet=fleet, quantum=quantum).up()
    rota.count("first", 100_000, "--gpus", str(gpus), "--tier", "h100", "--time", "3h", member="kim")
    rota.wait_for(1, "running")
    rota.count("second", 100_000, "--tier", "h100", "--time", "3h", member="lee")
    wait_until(lambda: rota.jobs()[1]["forecast"]["begin"], 30, what="job 2 has a forecast")
    return rota


def test_a_submit_says_its_number_first_and_then_when_its_turn_comes(make_rota: Callable[..., Rota]) -> None:
    rota = a_busy_rota(make_rota)

    def said() -> list[str]:
        return rota("run", "--tier", "h100", "--time", "2h", "--as", "park", "--", "sleep", "600").splitlines()

    tries = [said() for _ in range(3)]  # on a busy machine a forecast may take longer than a member is made to wait
    assert [lines[0].split()[0] for lines in tries] == ["3", "4", "5"]
    line = rf"\w+ in line for h100\. Your first turn: (?:{RANGE}.*\.|by [\d:]+ at the latest\. .*)"
    told = rf"   (?:{line}|For its forecast: rota show \d)"
    assert all(re.fullmatch(told, line) for lines in tries for line in lines[-1:]), tries
    answer = rota.run("run", "--json", "--tier", "h100", "--as", "park", "--", "sleep", "600").json
    assert answer["job"] == 6
    assert answer["forecast"] is None or answer["forecast"]["begin"]["early"] <= answer["forecast"]["begin"]["late"]
    assert "   Starts after job 1 has ended." in rota("run", "--after", "1", "--", "sleep", "600")


def seconds(rota: Rota, *words: str) -> float:
    """How long a command takes."""
    begun_at = time.monotonic()
    rota(*words)
    return time.monotonic() - begun_at


def test_lists_show_and_why_carry_the_forecast(make_rota: Callable[..., Rota]) -> None:
    rota = a_busy_rota(make_rota)
    assert re.search(rf"second +lee .* 1 +h100 +{RANGE}", rota("list"))
    shown = rota("show", "2")
    assert re.search(rf"  first turn +{RANGE}.*, on h100\n", shown)
    assert "too few forecasts so far to say how good they are" in shown
    assert re.search(rf"^Its first turn: {RANGE}", rota("why", "2").splitlines()[-1])
    wide = rota("board", env={"COLUMNS": "160"})
    assert re.search(rf"2 second +lee +1 h100 +{RANGE}", wide)
    forecast = rota.jobs()[1]["forecast"]
    assert set(forecast) == {"turn", "begin", "finish", "made_at", "tier", "at_latest"}
    assert forecast["begin"]["early"] <= forecast["begin"]["likely"] <= forecast["begin"]["late"]
    wait_until(lambda: rota.jobs()[0]["forecast"]["finish"], 30, what="the running job has one, too")
    assert re.search(rf"until [\d:]+, again {RANGE}|done {RANGE}", rota("list"))
    assert re.search(rf"1 first +kim .*(?:again|done) {RANGE}", rota("board", env={"COLUMNS": "160"}))


def test_a_job_that_begins_at_once_is_told_so(rota: Rota) -> None:
    number, said = rota("run", "--", "sleep", "600").splitlines()[0], rota("list")
    assert number.split()[0] == "1"
    answer = rota("run", "--checkpoint", "/tmp/none", "--", "sleep", "600").splitlines()
    assert answer[1].startswith("   It begins now, on h100-1 (h100).")
    assert "running" in said


def test_a_submit_names_a_free_tier_on_which_the_job_is_done_sooner(make_rota: Callable[..., Rota]) -> None:
    rota = a_busy_rota(make_rota, fleet="h100:1,a100:1", quantum="4h")
    submit = ("run", "--tier", "h100", "--time", "20min", "--gpu-memory", "30G", "--as", "park", "--", "sleep", "600")
    wait_until(lambda: "You can start now on a100" in rota(*submit), 60, 1, what="the hint")
    number = rota.jobs()[-1]["job"]
    hint = rota(*submit).splitlines()[-1]
    assert re.search(
        r"\(fits 30G, about [\d.]+x slower\): finish likely .* instead of .*\. Type: rota move \d+ --tier", hint
    )
    rota("move", str(number), "--tier", "a100")
    assert rota.wait_for(number, "running")["job"]["tier"] == "a100"


def test_a_submit_waits_for_no_forecast_where_none_is_made(make_rota: Callable[..., Rota]) -> None:
    rota = make_rota(fleet="h100:1", quantum="2h")
    with (rota.state / "rota.toml").open("a") as file:
        file.write("[forecast]\nenabled = false\n")
    rota.up().count("first", 100_000)
    rota.wait_for(1, "running")
    submit = ("run", "--as", "lee", "--", "sleep", "600")
    assert re.search(r"^   1st in line\. Your first turn: by [\d:]+ at the latest\.", rota(*submit), re.MULTILINE)
    assert min(seconds(rota, *submit) for _ in range(3)) < min(seconds(rota, "list") for _ in range(3)) + 0.3
    assert rota.run("run", "--json", "--", "sleep", "600").json["forecast"] is None
    assert re.search(r" by [\d:]+ ", rota("list"))


def test_a_dry_run_compares_ways_to_ask_and_changes_nothing(make_rota: Callable[..., Rota]) -> None:
    rota = a_busy_rota(make_rota, fleet="h100:2,a100:2", quantum="4h", gpus=2)
    before = [job["job"] for job in rota.jobs()]
    asked = ("run", "--gpus", "2", "--tier", "h100", "--time", "8h", "--as", "park", "--dry-run", "--compare")
    said = rota(*asked, "--", "sleep", "600").splitlines()
    names = ("as asked", "--time 4h", "--tier a100", "--gpus 1")
    assert [next(name for name in names if line.startswith(name)) for line in said[4:8]] == list(names)
    assert re.search(rf"{RANGE}", said[4])
    assert re.search(r"--tier a100 +now .*begins .* sooner.* \(about [\d.]+x slower\)$", said[6])
    assert said[-1] == "Fewer GPUs are counted with the same GPU-hours: half of them take twice the --time."
    answer = rota.run(*asked, "--json", "--", "sleep", "600").json
    assert answer["job"] is None
    assert [row["gpus"] for row in answer["compare"]] == [2, 2, 2, 1]
    assert answer["compare"][2]["begins_later_s"] < 0
    assert [job["job"] for job in rota.jobs()] == before


def test_when_nobody_waits_a_comparison_says_so(rota: Rota) -> None:
    said = rota("run", "--gpus", "2", "--time", "2h", "--dry-run", "--compare", "--", "sleep", "600")
    assert "All begin at once: nobody waits for these GPUs." in said


def test_a_comparison_is_never_mistaken_for_a_submit(rota: Rota) -> None:
    said = rota.run("run", "--compare", "--", "sleep", "600")
    assert (said.code, rota.jobs()) == (2, [])
    assert "rota run --dry-run --compare" in said.err
