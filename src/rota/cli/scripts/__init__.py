"""Batch scripts, with their own lines and with the command line of sbatch."""
