"""What Rota remembers: tables, queries, migrations. SQLite by default, PostgreSQL by URL."""
