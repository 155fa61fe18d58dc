"""Rota: fair turns on a laboratory's few good GPUs."""

__version__ = "0.1.0"
