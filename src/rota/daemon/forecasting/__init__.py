"""Forecasts are made beside the daemon, in processes of their own: its loop never waits for one."""
