"""`rota slurm`: a Slurm for a department that has none, and its record beside Rota's."""
