"""What a host says of itself."""

from __future__ import annotations

import json
import subprocess
import time

from hypothesis import given
from hypothesis import strategies as st

from rota.slurm.site.facts import SCRIPT, Facts, facts_as_told, facts_from, parse_facts
from rota.slurm.site.hosts import Processors
from tests.slurm.site.answers import NO_DRIVER, TYPE_OF, an_answer


def facts_of(answer: str, now: float = 1_000_000) -> Facts:
    found = parse_facts(answer, now, TYPE_OF)
    assert found is not None
    return found


def test_a_server_with_a_driver_and_without_slurm() -> None:
    facts = facts_of(an_answer())
    assert facts.name == "gpu1"
    assert facts.processors == Processors(64, 2, 16, 2)
    assert facts.memory_mib == 515_578
    assert facts.system == "debian 12"
    assert (facts.slurm_version, facts.runs, facts.slurm_uid, facts.has_cgroups) == ("", (), None, True)


def test_the_device_files_number_is_the_kernels_and_not_that_of_nvidia_smi() -> None:
    facts = facts_of(an_answer())
    assert [(gpu.type, gpu.minor) for gpu in facts.gpus] == [("h100", 1), ("h100", 0)]
    assert [gpu.minor for gpu in facts_of(an_answer(minors="")).gpus] == [0, 1]


def test_where_slurmd_is_installed_its_own_count_is_taken() -> None:
    said = (
        "NodeName=gpu1 CPUs=8 Boards=1 SocketsPerBoard=1 CoresPerSocket=8 ThreadsPerCore=1 RealMemory=31000\nUpTime=1"
    )
    facts = facts_of(an_answer(slurmd=said, version="slurm-wlm 22.05.8"))
    assert (facts.processors, facts.memory_mib) == (Processors(8, 1, 8, 1), 31_000)
    assert facts.slurm_version == "22.05.8"


def test_a_driver_that_does_not_answer_is_no_gpu() -> None:
    assert facts_of(an_answer(gpus=NO_DRIVER)).gpus == ()


def test_gpus_in_slices_are_told_apart() -> None:
    facts = facts_of(an_answer(gpus="0, GPU-aa, 81559, Enabled, NVIDIA H100 80GB HBM3\n"))
    assert [gpu.is_sliced for gpu in facts.gpus] == [True]


def test_what_runs_there_and_how_its_clock_is() -> None:
    answer = an_answer(
        "gpu1.dept.example",
        running="slurmctld\nslurmd",
        cluster="ClusterName=old # ours",
        account="64030",
        time=999_990,
    )
    facts = facts_of(answer)
    assert (facts.name, facts.runs, facts.cluster) == ("gpu1", ("slurmctld", "slurmd"), "old")
    assert (facts.slurm_uid, facts.ahead_s) == (64030, -10)


def test_control_groups_of_both_versions_and_of_neither() -> None:
    assert facts_of(an_answer(cgroup="tmpfs\ncpu\ndevices\nmemory")).has_cgroups
    assert not facts_of(an_answer(cgroup="tmpfs\ncpu")).has_cgroups
    assert not facts_of(an_answer(cgroup="cgroup2fs\ncpu pids")).has_cgroups
    assert not facts_of(an_answer(cgroup="")).has_cgroups


def test_an_answer_that_was_cut_off_is_none() -> None:
    whole = an_answer()
    assert parse_facts(whole[: len(whole) // 2], 0, TYPE_OF) is None
    assert parse_facts("Permission denied (publickey).", 0, TYPE_OF) is None


def test_facts_survive_the_pipe() -> None:
    facts = facts_of(an_answer())
    assert facts_from(json.loads(json.dumps(facts_as_told(facts)))) == facts


def test_this_machine_answers_the_script() -> None:
    done = subprocess.run(["sh", "-s"], input=SCRIPT, capture_output=True, text=True, check=False)
    facts = facts_of(done.stdout, time.time())
    assert facts.processors.cpus > 0
    assert facts.memory_mib > 100
    assert abs(facts.ahead_s) < 5


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_answer_whatever_breaks_the_reader(slurmd: str, cpus: str, gpus: str, minors: str) -> None:
    parse_facts(an_answer(slurmd=slurmd, cpus=cpus, gpus=gpus, minors=minors), 0, TYPE_OF)


@given(st.text())
def test_no_text_whatever_breaks_the_reader(text: str) -> None:
    parse_facts(text, 0, TYPE_OF)
