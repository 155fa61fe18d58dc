"""A Rota for each test."""

from tests.end_to_end.fixtures import make_rota, rota

__all__ = ["make_rota", "rota"]
