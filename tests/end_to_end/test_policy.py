"""The rules in force, as a member reads them."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

from tests.end_to_end.session import Rota
from tests.waiting import wait_until


def test_policy_explain_says_what_is_in_force_and_changes_with_the_settings(make_rota: Callable[..., Rota]) -> None:
    rota = make_rota(fleet="h100:1,rtx3090:2", quantum="auto").up()
    said = rota("policy", "explain")
    assert "(auto, 5min to 4h: as short as keeps stopping and resuming under 2 % of GPU time)" in said
    assert "rtx3090  2     1      0.23   table (docs/speeds.md)" in said
    rota.count("a", 100_000, "--project", "vision")
    wait_until(lambda: "vision   1       100 %" in rota("policy", "explain"), 20, what="vision has its share")
    file = rota.state / "rota.toml"
    file.write_text(
        file.read_text().replace('"auto"', '"2h"')
        + '[tiers.speeds]\nrtx3090 = 0.3\n'
        + '[[reservations]]\nname = "course"\ngpus = 2\ntiers = ["rtx3090"]\nmembers = ["kim"]\n'
        + "begins = 2126-12-01T09:00:00\nends = 2126-12-01T12:00:00\n"
        + '[[deadlines]]\nproject = "vision"\nat = 2126-12-01T23:59:00\nearly = "7d"\n'
    )  # fmt: skip
    assert rota.daemon is not None
    rota.daemon.send_signal(signal.SIGHUP)
    wait_until(lambda: "2h, fixed in rota.toml" in rota("policy", "explain"), 20, what="the settings are in force")
    said = rota("policy", "explain")
    assert "0.30   rota.toml" in said
    assert "Reserved: 2 GPUs of rtx3090 for course (kim)" in said
    assert "Deadline: vision" in said
    told = rota.run("policy", "explain", "--json").json
    assert told["quantum"]["quantum_s"] == 7200.0
    assert [one["name"] for one in told["reservations"]] == ["course"]


def test_a_reservation_that_the_fleet_cannot_keep_leaves_the_old_settings_in_force(rota: Rota) -> None:
    assert rota.daemon is not None
    file = rota.state / "rota.toml"
    file.write_text(
        file.read_text()
        + '[[reservations]]\nname = "course"\ngpus = 9\nmembers = ["kim"]\n'
        + "begins = 2126-12-01T09:00:00\nends = 2126-12-01T12:00:00\n"
    )
    rota.daemon.send_signal(signal.SIGHUP)
    wait_until(lambda: "settings not taken" in rota.words(), 10)
    assert "it keeps 9 GPUs, and there are 2. Keep 2 or fewer." in rota.words()
    assert rota.run("policy", "explain", "--json").json["reservations"] == []


def test_why_says_who_comes_before_and_by_how_much(make_rota: Callable[..., Rota]) -> None:
    rota = make_rota(fleet="h100:1").up()
    rota.count("first", 100_000)
    rota.wait_for(1, "running")
    short = rota.count("short", 100_000, "--time", "20min")
    long = rota.count("long", 100_000, "--time", "90min")
    wait_until(lambda: "Its first turn: " in rota("why", str(long)), 20)
    first, before, begins = rota("why", str(long)).splitlines()
    assert first.startswith("1 job ahead; 1 turn on the GPUs that it could use; the first guaranteed time ends at ")
    member = rota.job(long)["job"]["member"]
    assert re.fullmatch(
        rf"Right before it comes job {short} of {member}: it is expected to need [\w ]+ more, this job [\w ]+\.", before
    )
    assert begins.startswith("Its first turn: ")
    reason = rota.run("why", str(long), "--json").json["reason"]
    assert (reason["first"], reason["because"]) == (short, "shorter")
    assert reason["theirs"] < reason["yours"]
