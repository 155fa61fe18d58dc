"""Members, projects, GPUs, jobs and turns: frozen values and their state machines. No I/O, no clock."""
