"""Forecasts put to the test: a trace is replayed, and each forecast sees only what was known when it was made."""
