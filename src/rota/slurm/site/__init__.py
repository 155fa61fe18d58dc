"""A Slurm for a department that has none: what to put on which host. Pure: nothing is read, asked or written here."""
