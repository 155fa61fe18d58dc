"""sbatch's options, and its way of reading them: long and short, glued, with `=`, abbreviated.

The table is that of sbatch(1) in 22.05 and 24.11, with the names that they take without telling (--cluster, --context,
--tasks-per-node). What each means to Rota is the command line's business (cli/sbatch_meaning.py).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from rota.errors import BadRequest


class Takes(Enum):
    """Whether a value follows."""

    VALUE = "value"
    NOTHING = "nothing"
    PERHAPS = "perhaps"  # only with `=`, or glued to the letter


@dataclass(frozen=True, slots=True)
class Option:
    """One option."""

    name: str
    letter: str = ""
    takes: Takes = Takes.VALUE
    variable: str = ""  #: what sets it from the environment


@dataclass(frozen=True, slots=True)
class Given:
    """One option as somebody gave it."""

    name: str
    value: str = ""  #: "" for an option that takes none
    where: str = ""  #: "line 3", "SBATCH_TIMELIMIT"; "" on the command line


def _table(takes: Takes, *lines: str) -> list[Option]:
    """Options from lines of `name`, `name/letter`, `name=VARIABLE`, `name/letter=VARIABLE`."""
    made = []
    for word in " ".join(lines).split():
        names, _, variable = word.partition("=")
        name, _, letter = names.partition("/")
        made.append(Option(name, letter, takes, variable))
    return made


OPTIONS: tuple[Option, ...] = (
    *_table(
        Takes.VALUE,
        "account/A=SBATCH_ACCOUNT acctg-freq=SBATCH_ACCTG_FREQ array/a=SBATCH_ARRAY_INX batch=SBATCH_BATCH bb bbf",
        "begin/b chdir/D cluster-constraint=SBATCH_CLUSTER_CONSTRAINT cluster clusters/M=SBATCH_CLUSTERS",
        "comment context",
        "constraint/C=SBATCH_CONSTRAINT container=SBATCH_CONTAINER container-id=SBATCH_CONTAINER_ID",
        "core-spec/S=SBATCH_CORE_SPEC cores-per-socket cpu-freq=SBATCH_CPU_FREQ_REQ cpus-per-gpu=SBATCH_CPUS_PER_GPU",
        "cpus-per-task/c deadline delay-boot=SBATCH_DELAY_BOOT dependency/d distribution/m=SBATCH_DISTRIBUTION",
        "error/e=SBATCH_ERROR exclude/x export=SBATCH_EXPORT export-file extra extra-node-info/B gid",
        "gpu-bind=SBATCH_GPU_BIND gpu-freq=SBATCH_GPU_FREQ gpus/G=SBATCH_GPUS gpus-per-node=SBATCH_GPUS_PER_NODE",
        "gpus-per-socket=SBATCH_GPUS_PER_SOCKET gpus-per-task=SBATCH_GPUS_PER_TASK gres=SBATCH_GRES",
        "gres-flags=SBATCH_GRES_FLAGS hint=SBATCH_HINT input/i=SBATCH_INPUT job-name/J=SBATCH_JOB_NAME",
        "kill-on-invalid-dep licenses/L mail-type mail-user mcs-label mem=SBATCH_MEM_PER_NODE mem-bind=SBATCH_MEM_BIND",
        "mem-per-cpu=SBATCH_MEM_PER_CPU mem-per-gpu=SBATCH_MEM_PER_GPU mincpus network=SBATCH_NETWORK nodefile/F",
        "nodelist/w nodes/N ntasks/n ntasks-per-core ntasks-per-gpu ntasks-per-node ntasks-per-socket",
        "ntasks-per-tres tasks-per-node open-mode=SBATCH_OPEN_MODE output/o=SBATCH_OUTPUT",
        "partition/p=SBATCH_PARTITION power=SBATCH_POWER prefer priority profile=SBATCH_PROFILE qos/q=SBATCH_QOS",
        "reservation=SBATCH_RESERVATION segment=SBATCH_SEGMENT_SIZE signal=SBATCH_SIGNAL sockets-per-node",
        "switches=SBATCH_REQ_SWITCH thread-spec=SBATCH_THREAD_SPEC threads-per-core=SBATCH_THREADS_PER_CORE",
        "time/t=SBATCH_TIMELIMIT time-min tmp tres-bind=SBATCH_TRES_BIND tres-per-task=SBATCH_TRES_PER_TASK uid",
        "wait-all-nodes=SBATCH_WAIT_ALL_NODES wckey=SBATCH_WCKEY wrap",
    ),
    *_table(
        Takes.NOTHING,
        "contiguous help/h hold/H ignore-pbs=SBATCH_IGNORE_PBS no-requeue=SBATCH_NO_REQUEUE",
        "overcommit/O=SBATCH_OVERCOMMIT oversubscribe/s parsable quiet/Q reboot requeue=SBATCH_REQUEUE",
        "spread-job=SBATCH_SPREAD_JOB stepmgr test-only usage use-min-nodes=SBATCH_USE_MIN_NODES",
        "verbose/v=SBATCH_DEBUG version/V wait/W=SBATCH_WAIT",
    ),
    *_table(
        Takes.PERHAPS,
        "consolidate-segments exclusive=SBATCH_EXCLUSIVE get-user-env=SBATCH_GET_USER_ENV nice",
        "no-kill/k=SBATCH_NO_KILL oom-kill-step=SBATCH_OOM_KILL_STEP propagate resv-ports",
    ),
)


class Reader:
    """Reads command lines that have sbatch's options, and some of our own, which are never abbreviated."""

    def __init__(self, own: Iterable[Option] = ()) -> None:
        self._by_name = {option.name: option for option in (*OPTIONS, *own)}
        self._by_letter = {option.letter: option for option in self._by_name.values() if option.letter}

    def command_line(self, words: Sequence[str]) -> tuple[list[Given], list[str]]:
        """Options as far as they go, and the rest, which begins with the script. Raises BadRequest."""
        given: list[Given] = []
        rest = list(words)
        while rest and rest[0] != "-" and rest[0].startswith("-"):
            word = rest.pop(0)
            if word == "--":
                break
            given.extend(self._one(word, rest, ""))
        return given, rest

    def line(self, words: Sequence[str], where: str) -> tuple[list[Given], list[str]]:
        """Options of a script's line, and those that nobody knows: a site's own plugins add such to sbatch.

        Raises BadRequest.
        """
        given: list[Given] = []
        unknown: list[str] = []
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word == "-" or not word.startswith("-"):
                raise BadRequest(f"{word!r} is no option. A value with spaces in it needs quotes.")
            if word.startswith("--") and not self._named(word[2:].partition("=")[0]):
                unknown.append(word.partition("=")[0])
                rest = rest[_values(rest) :] if "=" not in word else rest
                continue
            given.extend(self._one(word, rest, where))
        return given, unknown

    def environment(self, variables: Mapping[str, str]) -> list[Given]:
        """What SBATCH_... variables ask for. For an option without a value it counts that the variable is there."""
        return [
            Given(option.name, "" if option.takes is Takes.NOTHING else variables[option.variable], option.variable)
            for option in self._by_name.values()
            if option.variable in variables
        ]

    def near(self, name: str) -> str:
        """The option that somebody may have meant; "" when there is none like it."""
        return next(iter(difflib.get_close_matches(name.lstrip("-"), self._by_name, 1)), "")

    def _one(self, word: str, rest: list[str], where: str) -> Iterator[Given]:
        if not word.startswith("--"):
            yield from self._letters(word[1:], rest, where)
            return
        name, sign, value = word[2:].partition("=")
        option = self._long(name)
        if option.takes is Takes.NOTHING and sign:
            raise BadRequest(f"--{option.name} takes no value, and {word!r} gives it one.")
        if option.takes is Takes.VALUE and not sign:
            value = _next(rest, f"--{option.name}")
        yield Given(option.name, value, where)

    def _letters(self, letters: str, rest: list[str], where: str) -> Iterator[Given]:
        """`-n4`, `-n 4`, `-HQ`."""
        while letters:
            option = self._by_letter.get(letters[0])
            if option is None:
                raise BadRequest(f"sbatch has no option -{letters[0]}. See: rota sbatch --help")
            letters = letters[1:]
            if option.takes is Takes.NOTHING:
                yield Given(option.name, "", where)
                continue
            value = letters
            if option.takes is Takes.VALUE and not value:
                value = _next(rest, f"-{option.letter}")
            yield Given(option.name, value, where)
            return

    def _named(self, name: str) -> list[str]:
        """The option of that name, else all that begin so (getopt_long(3))."""
        return (
            [name] if name in self._by_name else [known for known in self._by_name if name and known.startswith(name)]
        )

    def _long(self, name: str) -> Option:
        found = self._named(name)
        if len(found) == 1:
            return self._by_name[found[0]]
        if found:
            raise BadRequest(f"--{name} may be {' or '.join(f'--{known}' for known in found)}. Write it out.")
        near = self.near(name)
        meant = f"Did you mean: --{near}" if near else "See: rota sbatch --help"
        raise BadRequest(f"sbatch has no option --{name}. {meant}")


def _next(rest: list[str], option: str) -> str:
    if not rest:
        raise BadRequest(f"{option} needs a value.")
    return rest.pop(0)


def _values(rest: Sequence[str]) -> int:
    """How many words follow before the next option."""
    return next((place for place, word in enumerate(rest) if word.startswith("-")), len(rest))
