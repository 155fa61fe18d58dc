"""Waiting jobs, as `squeue --json` of several versions lists them.

recorded/queue-22.05.json is what a real cluster printed, less the fields that nobody reads. The other was written for
the same jobs after the types that Slurm documents for its data_parser plugin v0.0.42.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.slurm.commands import SlurmUnavailable
from rota.slurm.queue import Queued, parse_queue, tasks_in
from rota.slurm.saved import saved_environment, state_folder

RECORDED = Path(__file__).parent / "recorded"
SAMPLES = sorted(path.name for path in RECORDED.glob("queue-*.json"))
GIB = 2**30


def queue(sample: str) -> dict[tuple[int, tuple[int, ...]], Queued]:
    return {(job.id, job.tasks): job for job in parse_queue((RECORDED / sample).read_text())}


@pytest.mark.parametrize("sample", SAMPLES)
def test_all_versions_tell_the_same_of_the_same_jobs(sample: str) -> None:
    jobs = queue(sample)
    array = jobs[46, (3, 4, 5, 6, 7, 8, 9)]
    assert (array.user, array.name, array.state, array.cluster) == ("root", "odd name", "PENDING", "exp")
    assert (array.account, array.partition, array.folder) == ("vision", "gpu", "/tmp/exp-home")
    assert (array.command, array.output) == ("/tmp/exp-home/train.sh --lr 0.1", "/tmp/exp-home/out-%j.log")
    assert (array.limit_s, array.cpus, array.memory_per_node_bytes) == (86400.0, 4, 4 * GIB)
    assert array.per_node.replace("/", ":") == "gres:gpu:h100:2"
    other = jobs[53, (7,)]
    assert (other.per_job.replace("/", ":"), other.processes, other.comment) == ("gres:gpu:2", 4, "mine, hello")
    assert (other.memory_per_cpu_bytes, other.limit_s, other.is_held) == (GIB, None, False)
    assert jobs[54, ()].dependency == "afterany:53_7(unfulfilled)"
    assert not jobs[48, ()].is_batch
    assert jobs[50, (1,)].eligible_at > jobs[50, (1,)].submitted_at + 3000


@pytest.mark.parametrize("sample", SAMPLES)
def test_tasks_that_wait_alike_are_one_entry_and_others_their_own(sample: str) -> None:
    jobs = queue(sample)
    assert jobs[46, (1, 2)].comment == "rota job 5"
    assert jobs[49, (3, 5, 7, 9)].is_held
    assert not jobs[49, (1,)].is_held


def test_tasks_of_arrays_are_read_whole_or_not_at_all() -> None:
    assert tasks_in("1-3,7%2") == (1, 2, 3, 7)
    assert tasks_in("0-8:4") == (0, 4, 8)
    assert tasks_in("1-3,...") == ()
    (cut,) = parse_queue(json.dumps({"jobs": [{"job_id": 5, "array_job_id": 5, "array_task_string": "1-3,..."}]}))
    assert cut.is_cut


@pytest.mark.parametrize("answer", ["", "slurm_load_jobs error", "[]", "{}", '{"jobs": {}}', '{"errors": ["no"]}'])
def test_an_answer_that_is_none_is_a_sentence(answer: str) -> None:
    with pytest.raises(SlurmUnavailable, match="squeue --json answers"):
        parse_queue(answer)


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
fields = st.sampled_from(
    ["job_id", "array_job_id", "array_task_id", "array_task_string", "job_state", "priority", "time_limit", "comment"]
)


@given(st.lists(st.dictionaries(fields, anything, max_size=6), max_size=3))
def test_no_jobs_whatever_break_the_reader(jobs: list[dict[str, object]]) -> None:
    assert len(parse_queue(json.dumps({"jobs": jobs}))) <= len(jobs)


# --- what the controller keeps ---------------------------------------------------------------------


def save(folder: Path, job: int, content: bytes) -> None:
    place = folder / f"hash.{job % 10}" / f"job.{job}"
    place.mkdir(parents=True)
    (place / "environment").write_bytes(content)


def test_the_saved_environment_of_a_job_is_read(tmp_path: Path) -> None:
    save(tmp_path, 29, struct.pack("=I", 3) + b"A=1\0B=two\nlines\0EMPTY=\0")
    assert saved_environment(tmp_path, 29) == {"A": "1", "B": "two\nlines", "EMPTY": ""}


@pytest.mark.parametrize("content", [b"", b"\1", struct.pack("=I", 2) + b"A=1\0", struct.pack("=I", 1) + b"junk\0"])
def test_what_is_not_in_that_form_is_not_believed(tmp_path: Path, content: bytes) -> None:
    save(tmp_path, 30, content)
    assert saved_environment(tmp_path, 30) is None
    assert saved_environment(tmp_path, 31) is None


def test_the_controllers_folder_is_found_in_its_settings() -> None:
    assert state_folder("SlurmUser = slurm\nStateSaveLocation       = /var/spool/slurmctld\n") == Path(
        "/var/spool/slurmctld"
    )
    assert state_folder("") is None
