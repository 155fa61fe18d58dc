"""When a job's turn comes: how long jobs take, who may come, the policy run forward, and how good that was."""
