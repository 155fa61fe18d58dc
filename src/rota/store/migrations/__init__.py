"""Migrations of the tables, run by Rota itself when it starts."""
