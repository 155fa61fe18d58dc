"""`rota import`: who waits elsewhere, in Slurm's queue or on a list of paper."""
