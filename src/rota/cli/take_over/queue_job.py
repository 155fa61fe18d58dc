"""One of Slurm's waiting jobs as a submit: its script, and what Slurm has recorded of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rota.cli.arrays import array_numbers
from rota.cli.checks import checked_argv
from rota.cli.client import Answer
from rota.cli.scripts.job import prepared
from rota.cli.scripts.meaning import Names, Wanted
from rota.cli.scripts.options import default_options, read_options, remarks_on
from rota.cli.scripts.sbatch import ARRAY_OUTPUT, OUTPUT
from rota.cli.scripts.script import Script, script_of
from rota.cli.submit import submit_body, told_environment
from rota.cli.take_over.queue_plan import origin_of
from rota.errors import BadRequest
from rota.slurm.queue import Queued
from rota.slurm.sbatch_options import Given, Reader

WHERE = "in Slurm"
NO_TASK = "4294967294"  # what Slurm fills in for %a before a task has its number


@dataclass(frozen=True, slots=True)
class Submit:
    """A SubmitBody, and what is left out."""

    body: Answer
    remarks: tuple[str, ...]


def submit_of(
    job: Queued,
    text: str,
    names: Names,
    environment: Mapping[str, str],
    *,
    me: str,
    project: str | None = None,
    is_saved: bool = False,
) -> Submit:
    """The submit of a waiting job. Raises BadRequest.

    `environment`: the job's own if `is_saved`, else that of whoever types; another member's job then begins as a login
    does.
    """
    words = _command_words(job)
    if "\ufffd" in text:
        raise BadRequest("Its script is not in UTF-8, so it cannot be kept in the record.")
    script = script_of(words[0] if words else job.name or "wrap", text, has_file=False)
    reader = Reader()
    wanted = read_options(script, recorded(job, names), reader, names)
    wanted.export = None if is_saved else "NONE" if job.user != me else wanted.export
    if is_saved or job.user != me:
        wanted.export_file = None  # never read with our rights what another's script names
    options = {**default_options(), **wanted.options, "after": ()}
    options["name"] = job.name or Path(script.name).name
    options["project"] = options["project"] or project
    options["output"] = _output(job, wanted)
    options["member"], options["since"] = job.user if job.user != me else None, None
    cwd = job.folder or "/"
    made = prepared(
        script, words[1:], wanted, options, cwd, environment, job.user, is_for_slurm=True,
        whole_array=_whole_array(job, script, reader),
    )  # fmt: skip
    body = submit_body(checked_argv(made.argv), {**options, **made.options}, cwd, told_environment(made.environment))
    return Submit({**body, "origin": origin_of(job.id, job.cluster)}, tuple(remarks_on(script, wanted, options)))


def recorded(job: Queued, names: Names) -> list[Given]:
    """What Slurm has recorded of a job, in sbatch's words: it counts more than the script's lines."""
    tiers, projects = names.tiers(), names.projects()
    said = {
        "job-name": job.name,
        "time": f"{job.limit_s / 60:.0f}" if job.limit_s else "UNLIMITED",
        "nodes": str(job.nodes),
        "ntasks": str(job.processes) if job.processes > 1 else "",
        "cpus-per-task": str(job.cpus // job.processes) if job.cpus > job.processes else "",
        "mem": f"{job.memory_per_node_bytes >> 20}M" if job.memory_per_node_bytes else "",
        "mem-per-cpu": f"{job.memory_per_cpu_bytes >> 20}M" if job.memory_per_cpu_bytes else "",
        "gres": job.per_node,
        "tres-per-task": job.per_task,
        "gpus": _gpus_of_job(job.per_job),
        "array": ",".join(map(str, job.tasks)),
        "account": job.account if not projects or job.account in projects else "",
        "partition": job.partition if job.partition.lower() in tiers else "",
        "chdir": job.folder,
    }
    known = [Given(name, value, WHERE) for name, value in said.items() if value]
    return [*known, Given("dependency", "", WHERE)]  # the script's own is one of Slurm's numbers


def _gpus_of_job(tres: str) -> str:
    """`gres:gpu:h100:2`, `gres/gpu:2` as --gpus has it."""
    for entry in tres.replace("gres/", "").replace("gres:", "").split(","):
        if entry.partition(":")[0] == "gpu":
            return entry.partition(":")[2] or "1"
    return ""


def _command_words(job: Queued) -> list[str]:
    """Script and arguments. Slurm joins them by spaces, so an argument with a space in it comes out as two."""
    return [job.command] if Path(job.command).is_file() else job.command.split()


def _output(job: Queued, wanted: Wanted) -> str:
    default = ARRAY_OUTPUT if job.tasks else OUTPUT
    name = Path(job.output).name
    if not name or name == f"slurm-{job.id}.out" or NO_TASK in name:
        return str(wanted.options.get("output") or default)
    return job.output


def _whole_array(job: Queued, script: Script, reader: Reader) -> Sequence[int]:
    """The numbers of the array as its script has them: some of its tasks may have run in Slurm already."""
    if not job.tasks:
        return ()
    lines = [line for line in script.lines.options if line.mark == "#SBATCH"]
    arrays = [one.value for line in lines for one in reader.line(line.words, line.where)[0] if one.name == "array"]
    numbers = array_numbers(arrays[-1]) if arrays else []
    return numbers if set(job.tasks) <= set(numbers) else job.tasks
