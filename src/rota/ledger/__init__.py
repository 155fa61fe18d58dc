"""What was received: usage, shares, statements, certificates."""
