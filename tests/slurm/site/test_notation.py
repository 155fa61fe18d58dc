"""Hosts as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.errors import BadRequest
from rota.slurm.site.notation import Stated, parse_file, parse_hosts

WHOLE = Stated("gpu1", (("h100", 8),), cpus=64, memory_mib=512 * 1024)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("gpu1", [Stated("gpu1")]),
        ("gpu1:h100:8", [Stated("gpu1", (("h100", 8),))]),
        ("gpu1:H100:8", [Stated("gpu1", (("h100", 8),))]),
        ("gpu1:gpu=h100:8,cpus=64,memory=512G", [WHOLE]),
        ("gpu1:h100:8,cpus=64,memory=512G", [WHOLE]),
        ("gpu1, gpu2", [Stated("gpu1"), Stated("gpu2")]),
        ("gpu[08-09,11]", [Stated("gpu08"), Stated("gpu09"), Stated("gpu11")]),
        ("lab:gpu=a100:2+rtx3090:1", [Stated("lab", (("a100", 2), ("rtx3090", 1)))]),
        ("lab:gpu=a100:2,gpu=rtx3090:1,head", [Stated("lab", (("a100", 2), ("rtx3090", 1))), Stated("head")]),
        ("old:gpu=none,cpus=8", [Stated("old", (), cpus=8)]),
        ("a:sockets=2,cores=16,threads=2", [Stated("a", sockets=2, cores=16, threads=2)]),
        ("a:address=10.0.0.7,cpus=2", [Stated("a", cpus=2, address="10.0.0.7")]),
        ("a.dept.example", [Stated("a.dept.example")]),
    ],
)
def test_forms_of_a_list_of_hosts(text: str, hosts: list[Stated]) -> None:
    assert list(parse_hosts(text)) == hosts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no list of hosts"),
        (",", "no list of hosts"),
        ("gpu[1-2", "no list of hosts"),
        ("-oProxyCommand=true", "no host's name"),
        ("a b", "no host's name"),
        ("gpu1:8", "says no GPUs"),
        ("gpu1:h100", "says no GPUs"),
        ("gpu1:h100:900", "more than one host has"),
        ("gpu1:cpu=64", "Known are: gpu, cpus"),
        ("gpu1:cpus=many", "no number"),
        ("gpu1:cpus=0", "no number"),
        ("gpu1:memory=lots", "40G"),
        ("gpu1:cpus=8,sockets=2,cores=2,threads=1", "is 4"),
        ("gpu1,gpu1", "twice"),
        ("gpu[1-9999]", "too many"),
        ("gpu[1-99999]", "no host's name"),
    ],
)
def test_mistakes_say_how_it_is_written(text: str, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        parse_hosts(text)


def test_a_csv_file_of_hosts() -> None:
    text = "\ufeffHost, GPU ,cpus,memory\ngpu1,h100:8,64,512G\n\nlab[1-2],a100:2 rtx3090:1,,\n"
    lab = Stated("lab1", (("a100", 2), ("rtx3090", 1)))
    assert list(parse_file(text, "servers.csv")) == [WHOLE, lab, Stated("lab2", lab.gpus)]


def test_a_toml_file_of_hosts() -> None:
    text = '[[hosts]]\nname = "gpu1"\ngpu = "h100:8"\ncpus = 64\nmemory = "512G"\n[[hosts]]\nname = "b"\ngpu = ["t4:1"]'
    assert list(parse_file(text, "servers.toml")) == [WHOLE, Stated("b", (("t4", 1),))]


def test_a_file_with_a_host_in_each_line() -> None:
    text = "# our servers\ngpu1:h100:8,cpus=64,memory=512G\n\nold  # without GPUs\n"
    assert list(parse_file(text, "servers.txt")) == [WHOLE, Stated("old")]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "gpu,cpus\nh100:8,64\n", "no column host"),
        ("a.csv", "host,colour\ngpu1,red\n", "'colour' is not known"),
        ("a.toml", "hosts = 3", "has no hosts"),
        ("a.toml", "hosts = [", "not TOML"),
        ("a.toml", "[[hosts]]\ngpu = 'h100:8'", "no name"),
        ("a.txt", "gpu1\ngpu1\n", "twice"),
    ],
)
def test_mistakes_in_files(name: str, text: str, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        parse_file(text, name)


@given(st.text(st.sampled_from("ab1[]-,:=+. h0cpusgm"), max_size=40))
def test_no_text_whatever_breaks_the_reader(text: str) -> None:
    try:
        hosts = parse_hosts(text)
    except BadRequest as refused:
        assert str(refused)
    else:
        assert all(host.where and not host.where.startswith("-") for host in hosts)


@given(st.text(max_size=80), st.sampled_from(["a.csv", "a.toml", "a.txt"]))
def test_no_file_whatever_breaks_the_reader(text: str, name: str) -> None:
    try:
        parse_file(text, name)
    except BadRequest as refused:
        assert str(refused)
