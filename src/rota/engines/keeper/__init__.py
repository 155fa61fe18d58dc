"""The keeper: one small process per turn that starts the job, ends it, and outlives the daemon.

Standard library only, and nothing of Rota but this package and, once the job runs, what reads its output: it starts in
a few hundredths of a second and runs wherever a turn runs, also inside a Slurm job. It is driven by the files of its
turn directory (see `files`).
"""
