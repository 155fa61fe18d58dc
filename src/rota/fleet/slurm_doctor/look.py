"""The line of checks, from what everything else rests on to what is nice to have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rota.fleet.findings import Finding
from rota.fleet.slurm_doctor.deep import look_from_nodes
from rota.fleet.slurm_doctor.here import accounts, clocks, munge, programs, versions
from rota.fleet.slurm_doctor.nodes import gpus_here, node_states, ports, ports_of_controllers
from rota.fleet.slurm_doctor.partition import partition
from rota.fleet.slurm_doctor.records import records
from rota.fleet.slurm_doctor.rules import rules
from rota.fleet.slurm_doctor.turns_dir import turns_dir
from rota.fleet.slurm_doctor.world import Site, Unanswered, World, ask
from rota.slurm import config_answer, oneliner

NODES = ("scontrol", "--oneliner", "show", "node")
PARTITIONS = ("scontrol", "--oneliner", "show", "partition")
NOT_ANSWERING = "systemctl status slurmctld, on the controller; its last words: tail /var/log/slurm/slurmctld.log"


def slurm_findings(world: World, site: Site) -> Iterator[Finding]:
    """Everything about Slurm. What cannot be asked is left out, once it was said why."""
    found = list(programs(world))
    yield from found
    if any(finding.ok is False for finding in found):
        return
    answer = ask(world.run, config_answer.WORDS)
    if isinstance(answer, Unanswered):
        yield from _without_controller(world, answer)
        return
    config = config_answer.parse_config(answer)
    yield _controller(config)
    for role, name in config_answer.controllers_down(answer):
        text = f"the {role} on {name} does not answer"
        yield Finding("controller", False, text, f"ssh {name} systemctl status slurmctld")
    yield from munge(world, config)
    yield from clocks(world)
    yield from accounts(world, config)
    yield from rules(config, world.is_root)
    yield from _with_nodes(world, site, config)
    yield from records(world, config)
    yield from turns_dir(world, site, config)


def _with_nodes(world: World, site: Site, config: Mapping[str, str]) -> Iterator[Finding]:
    listed, lists = ask(world.run, NODES), ask(world.run, PARTITIONS)
    if isinstance(listed, Unanswered) or isinstance(lists, Unanswered):
        why = listed.why if isinstance(listed, Unanswered) else lists.why if isinstance(lists, Unanswered) else ""
        yield Finding("nodes", False, f"Slurm does not say which nodes and partitions it has: {why}", NOT_ANSWERING)
        return
    nodes = oneliner.parse_lines(listed, "NodeName")
    yield from partition(oneliner.parse_lines(lists, "PartitionName"), nodes, site.partition)
    yield from versions(world, config, nodes)
    yield from node_states(nodes)
    yield from ports(world, config, nodes)
    yield from gpus_here(world, nodes)
    if site.is_deep:
        yield from look_from_nodes(world, site, nodes)


def _controller(config: Mapping[str, str]) -> Finding:
    names = ", ".join(name for name, _ in config_answer.controllers(config))
    text = f"answers: {config.get('ClusterName', '')} on {names}, Slurm {config.get('SLURM_VERSION', '')}"
    return Finding("controller", True, text)


def _without_controller(world: World, answer: Unanswered) -> Iterator[Finding]:
    """What can be found out about why it does not answer, from the file that says where it is."""
    written = next((text for path in world.configurations if (text := world.read(path))), None)
    if written is None:
        shown = " and no ".join(map(str, world.configurations))
        mend = "copy slurm.conf from it; where there is no Slurm yet: rota slurm init"
        yield Finding("controller", False, f"this machine does not know it: there is no {shown}", mend)
        return
    said = answer.why.splitlines()[-1].rstrip(".")
    text = f"{said}. No turn begins until it answers; those that run go on"
    yield Finding("controller", False, text, NOT_ANSWERING)
    config = config_answer.parse_file(written)
    yield from munge(world, config)
    yield from ports_of_controllers(world, config)
