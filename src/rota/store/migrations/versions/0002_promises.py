"""Promises: when turns were to begin, and when they did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "promises",
        sa.Column("job", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("turn", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("made_at", sa.Float(53), nullable=False),
        sa.Column("began_at", sa.Float(53)),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_index("promises_by_made_at", "promises", ["made_at", "job", "turn"])


def downgrade() -> None:
    op.drop_table("promises")
