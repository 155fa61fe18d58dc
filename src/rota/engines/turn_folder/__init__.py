"""What passes through a turn's folder between a daemon and a keeper, wherever the keeper runs."""
