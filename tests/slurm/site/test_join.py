"""What was written of a host and what it said, put together, and what is worth knowing of the two."""

from __future__ import annotations

import pytest

from rota.errors import BadRequest
from rota.slurm.site.facts import Facts, parse_facts
from rota.slurm.site.hosts import GpuKind, Host, Processors, memory_for_jobs_mib
from rota.slurm.site.join import Asked, agreed_uid, join_controller, join_host
from rota.slurm.site.notation import Stated, parse_hosts
from rota.slurm.site.notes import notes
from tests.slurm.site.answers import GPUS, TYPE_OF, an_answer

MODEL = "NVIDIA H100 80GB HBM3"
SILENT = Asked(None, "Permission denied (publickey)")


def facts(answer: str) -> Facts:
    found = parse_facts(answer, 1_000_000, TYPE_OF)
    assert found is not None
    return found


def said(text: str, asked: Asked, uid: int = 64030) -> list[str]:
    stated = parse_hosts(text)
    hosts = [join_host(one, asked) for one in stated]
    return list(notes(hosts, stated, {one.where: asked for one in stated}, "lab", uid))


def test_a_host_that_answers_needs_nothing_written() -> None:
    host = join_host(Stated("gpu1"), Asked(facts(an_answer())))
    kinds = (GpuKind("h100", (0, 1), MODEL),)
    assert host == Host("gpu1", "gpu1", Processors(64, 2, 16, 2), 515_578, kinds)
    assert host.gres == "gpu:h100:2"


def test_a_host_reached_by_another_name_keeps_its_own() -> None:
    host = join_host(Stated("10.0.0.7"), Asked(facts(an_answer())))
    assert (host.name, host.address) == ("gpu1", "10.0.0.7")
    assert join_controller("localhost", Asked(facts(an_answer("head")))).address == "head"


def test_what_is_written_goes_before_what_it_said() -> None:
    (stated,) = parse_hosts("gpu1:a100:1,cpus=8,memory=64G")
    host = join_host(stated, Asked(facts(an_answer())))
    assert (host.gres, host.processors, host.memory_mib) == ("gpu:a100:1", Processors(8), 64 * 1024)


def test_a_host_that_is_written_whole_need_not_answer() -> None:
    (stated,) = parse_hosts("gpu1:gpu=h100:2,cpus=64,memory=512G")
    assert join_host(stated, SILENT) == Host("gpu1", "gpu1", Processors(64), 512 * 1024, (GpuKind("h100", (0, 1)),))
    assert said("gpu1:gpu=h100:2,cpus=64,memory=512G", SILENT) == []


def test_what_nobody_knows_is_guessed_low_and_said() -> None:
    host = join_host(Stated("gpu1", (("h100", 8),)), SILENT)
    assert (host.processors, host.memory_mib, host.guessed) == (Processors(32), 128 * 1024, ("CPUs", "memory"))
    (note,) = said("gpu[1-6]:h100:8", SILENT)
    assert note.startswith("gpu1, gpu2, gpu3, gpu4 and 2 more: CPUs and memory not written")
    assert "Permission denied" in note


def test_a_host_of_which_nothing_is_known_is_refused_with_what_to_type() -> None:
    with pytest.raises(BadRequest, match="gpu1 could not be asked") as refused:
        join_host(Stated("gpu1"), SILENT)
    assert "Permission denied" in str(refused.value)
    assert "gpu1:gpu=h100:8,cpus=64,memory=512G" in str(refused.value)


def test_an_address_is_no_name() -> None:
    with pytest.raises(BadRequest, match="Slurm calls hosts by name"):
        join_host(Stated("10.0.0.7", (("h100", 8),)), SILENT)


def test_slices_are_left_out_and_said() -> None:
    asked = Asked(facts(an_answer(gpus=GPUS.replace("GPU-bb, 81559, Disabled", "GPU-bb, 81559, Enabled"))))
    assert join_host(Stated("gpu1"), asked).gpu_count == 1
    assert any("1 GPU in MIG slices left out" in note for note in said("gpu1", asked))


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        (
            an_answer(running="slurmd", cluster="ClusterName=x"),
            "a Slurm runs there already (slurmd, of the cluster x)",
        ),
        (an_answer(system='ID=ubuntu\nVERSION_ID="22.04"'), "ubuntu 22.04 has Slurm 21.08, and Rota needs 22.05"),
        (an_answer(version="slurm 20.11.9"), "has Slurm 20.11.9"),
        (an_answer(time=1_000_030), "the clock is 30 s ahead of ours"),
        (an_answer(time=999_970), "the clock is 30 s behind ours"),
        (an_answer(cgroup=""), "no control groups"),
        (an_answer(account="991"), "the account slurm has the number 991, and 64030 elsewhere"),
        (an_answer(gpus=""), "no GPU was found"),
    ],
)
def test_what_somebody_should_look_at_first(answer: str, note: str) -> None:
    (found,) = said("gpu1", Asked(facts(answer)))
    assert found.startswith("gpu1: ")
    assert note in found


def test_a_host_in_good_order_needs_no_word() -> None:
    answer = an_answer(running="slurmd", cluster="ClusterName=lab", version="slurm 23.11.4", account="64030")
    assert said("gpu1", Asked(facts(answer))) == []


def test_more_written_than_is_there_is_said() -> None:
    (note,) = said("gpu1:h100:2,cpus=128,memory=1T", Asked(facts(an_answer())))
    assert "less is there than you wrote: 64 CPUs, 503G" in note
    (note,) = said("gpu1:h100:8", Asked(facts(an_answer())))
    assert "the driver lists (2 h100)" in note


def test_the_account_gets_the_number_that_hosts_have_already() -> None:
    of = [facts(an_answer(account=number)) for number in ("", "991", "991", "64030")]
    assert agreed_uid(of) == 991
    assert agreed_uid(of[:1]) == 64030


def test_some_memory_is_kept_for_the_system() -> None:
    assert memory_for_jobs_mib(515_578) == 499_100  # 16 GiB kept
    assert memory_for_jobs_mib(24_105) == 23_000
    assert memory_for_jobs_mib(512) == 256
