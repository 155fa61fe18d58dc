"""A laboratory in a virtual clock: the same daemon over a simulated machine, with faults injected by seed."""
