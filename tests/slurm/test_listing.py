"""What squeue prints in lines, and what partitions allow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.slurm.commands import SlurmUnavailable
from rota.slurm.listing import FORMAT, Listed, parse_listing, words
from rota.slurm.partition import longest_s

LISTING = """\
812|RUNNING|None|h100a|1-02:03:04|rota 0123456789ab 12.3
813|PENDING|Resources||0:00|rota 0123456789ab 13.1
814|COMPLETED|None|rtx3090a|3:04|somebody's own | with a bar
815|NODE_FAIL|NodeDown|h100b|INVALID|rota 0123456789ab 14.2
"""


def test_only_jobs_of_this_rota_are_read() -> None:
    assert [job.id for job in parse_listing(LISTING, "rota 0123456789ab ")] == [812, 813, 815]


def test_states_say_whether_a_job_waits_runs_or_is_over() -> None:
    states = {job.id: (job.is_pending, job.is_over) for job in parse_listing(LISTING)}
    assert states == {812: (False, False), 813: (True, False), 814: (False, True), 815: (False, True)}


def test_the_time_that_a_job_has_run_is_in_seconds() -> None:
    assert [job.elapsed_s for job in parse_listing(LISTING)] == [93784.0, 0.0, 184.0, 0.0]


def test_a_comment_may_hold_anything() -> None:
    assert [job.comment for job in parse_listing(LISTING) if job.id == 814] == ["somebody's own | with a bar"]


@pytest.mark.parametrize("rubbish", ["<html>", "12|RUNNING", "squeue: warning: x\n", "a|b|c|d|e|f"])
def test_rubbish_is_told_as_an_answer_that_is_none(rubbish: str) -> None:
    with pytest.raises(SlurmUnavailable, match="squeue never prints"):
        list(parse_listing(rubbish))


FIELD = st.text(st.characters(blacklist_characters="|\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=20)


SECONDS = st.integers(0, 59).map(float)


@given(st.lists(st.builds(Listed, st.integers(1, 10**9), FIELD, FIELD, FIELD, SECONDS, FIELD), max_size=5))
def test_what_is_printed_in_this_format_is_read_again(jobs: list[Listed]) -> None:
    lines = (f"{one.id}|{one.state}|{one.reason}|{one.nodes}|0:{one.elapsed_s:02.0f}|{one.comment}\n" for one in jobs)
    assert list(parse_listing("".join(lines))) == jobs


def test_who_is_not_root_asks_for_their_own_jobs() -> None:
    assert "--me" in words(is_everybody=False)
    assert "--me" not in words(is_everybody=True)
    assert f"--format={FORMAT}" in words(is_everybody=True)


PARTITIONS = """\
PartitionName=debug AllowGroups=ALL Default=NO MaxNodes=UNLIMITED MaxTime=00:30:00 State=UP
PartitionName=gpu AllowGroups=ALL Default=YES MaxNodes=UNLIMITED MaxTime=7-12:00:00 State=UP
PartitionName=long AllowGroups=ALL Default=NO MaxNodes=UNLIMITED MaxTime=UNLIMITED State=UP
"""


def test_the_limit_is_that_of_the_default_partition_when_all_are_shown() -> None:
    assert longest_s(PARTITIONS) == 7.5 * 86400


@pytest.mark.parametrize(("line", "limit_s"), [(0, 1800.0), (2, None)])
def test_the_limit_of_a_named_partition(line: int, limit_s: float | None) -> None:
    assert longest_s(PARTITIONS.splitlines()[line]) == limit_s


def test_no_partition_at_all_is_no_answer() -> None:
    with pytest.raises(SlurmUnavailable, match="partitions"):
        longest_s("slurm_load_partitions: rubbish")
