"""`make bench-replay`: what Rota's policy must show, measured on traces and on made-up laboratories."""
