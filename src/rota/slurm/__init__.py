"""Slurm as its commands and their answers show it. Nothing here knows of turns, policies or the daemon."""
