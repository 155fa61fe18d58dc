"""`make bench`: how Rota feels, as medians, beside a baseline taken in the same session."""
