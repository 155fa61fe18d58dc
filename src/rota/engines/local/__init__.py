"""Turns as processes of this machine: one keeper each."""
