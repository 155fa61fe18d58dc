"""The loop that ties everything: events in, snapshot, plan, apply, record; and recovery after a crash."""
