"""What turns in Slurm must show: how soon they begin, what asking Slurm costs, how many can be handed over."""
