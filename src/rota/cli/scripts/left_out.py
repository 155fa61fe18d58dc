"""Options of sbatch that Rota leaves out, each with what is told of it, and those that cannot be left out."""

from __future__ import annotations

_PLACED = "where processes run inside a node is left to the job"
_NODE = "Rota chooses nodes by their GPUs; --tier says which will do"
_MAIL = "Rota sends no mail; rota show and rota logs -f tell how a job is"
_WHOLE = "GPUs are never shared between jobs; processors and memory are what is asked for"
_ORDER = "turns follow from what everybody has received (rota why)"
IGNORED: dict[str, str] = {
    **dict.fromkeys(
        (
            "contiguous",
            "core-spec",
            "cores-per-socket",
            "distribution",
            "extra-node-info",
            "gpu-bind",
            "gres-flags",
            "hint",
            "mem-bind",
            "ntasks-per-core",
            "ntasks-per-socket",
            "ntasks-per-tres",
            "sockets-per-node",
            "thread-spec",
            "threads-per-core",
            "tres-bind",
            "overcommit",
            "resv-ports",
        ),
        _PLACED,
    ),
    **dict.fromkeys(
        (
            "batch",
            "cluster-constraint",
            "exclude",
            "nodefile",
            "nodelist",
            "spread-job",
            "switches",
            "use-min-nodes",
            "wait-all-nodes",
            "segment",
            "consolidate-segments",
            "network",
        ),
        _NODE,
    ),
    **dict.fromkeys(("mail-type", "mail-user"), _MAIL),
    **dict.fromkeys(("exclusive", "oversubscribe"), _WHOLE),
    **dict.fromkeys(("nice", "priority", "deadline", "time-min"), _ORDER),
    **dict.fromkeys(("acctg-freq", "profile"), "Rota measures a turn in its own way"),
    **dict.fromkeys(("cpu-freq", "gpu-freq", "power", "reboot", "delay-boot"), "Rota leaves clocks and power alone"),
    **dict.fromkeys(("comment", "wckey", "extra"), "Rota keeps no comments; --job-name says what a job is"),
    **dict.fromkeys(("cluster", "clusters"), "this Rota has one fleet (rota fleet)"),
    **dict.fromkeys(("context", "mcs-label"), "Rota knows no security labels"),
    "get-user-env": "the environment in which you type this is kept",
    "kill-on-invalid-dep": "a job that follows one that did not finish fails with it",
    "licenses": "Rota does not count licenses; without one, let the script wait or fail",
    "no-kill": "a turn ends with its node, and the next one continues from the checkpoint",
    "oom-kill-step": "a turn that is out of memory ends as the system ends it",
    "propagate": "a turn has the limits of the daemon",
    "reservation": "reservations are for whole groups, in rota.toml",
    "stepmgr": "a turn has no steps of Slurm's",
    "tmp": "Rota does not count local disks",
}

_CONTAINER = "Rota starts no container by itself. Start it in the script, such as: apptainer exec IMAGE COMMAND"
_STAGING = "Rota has no burst buffers to bring data with. Copy the data in the script."
#: Without these something else would come of the job.
REFUSED: dict[str, str] = {
    **dict.fromkeys(("container", "container-id"), _CONTAINER),
    **dict.fromkeys(("bb", "bbf"), _STAGING),
    "gid": "a job runs with its member's own groups. Change the group in the script: sg GROUP -c COMMAND",
}
