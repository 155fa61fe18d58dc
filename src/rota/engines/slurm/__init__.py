"""Turns as jobs of a Slurm cluster: one Slurm job each, whose script is the keeper."""
