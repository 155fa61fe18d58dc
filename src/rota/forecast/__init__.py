"""When a job's turn comes. For now one honest bound; ranges with probabilities are learnt from history later."""
