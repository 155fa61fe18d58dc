"""Whose turn it is: a snapshot goes in, a plan comes out. Pure and deterministic, no clock, no I/O."""

from rota.policy.plan import plan

__all__ = ["plan"]
