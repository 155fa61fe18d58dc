"""Jobs, launches, turns, transitions, marks on GPUs, projects, sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("member", sa.String, nullable=False),
        sa.Column("project", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("submitted_at", sa.Float(53), nullable=False),
        sa.Column("ended_at", sa.Float(53)),
        sa.Column("value", sa.Text, nullable=False),
    )
    is_open = sa.text("ended_at IS NULL")
    op.create_index("open_jobs", "jobs", ["id"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_index("jobs_of_member", "jobs", ["member", "id"])
    op.create_table(
        "launches",
        sa.Column("job", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "environments",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "turns",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("job", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("node", sa.String, nullable=False),
        sa.Column("tier", sa.String, nullable=False),
        sa.Column("granted_at", sa.Float(53), nullable=False),
        sa.Column("ended_at", sa.Float(53)),
        sa.Column("outcome", sa.String),
        sa.Column("gpu_s", sa.Float(53), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_index("turns_of_job", "turns", ["job", "number"], unique=True)
    op.create_index("turns_by_end", "turns", ["ended_at"])
    op.create_table(
        "transitions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("job", sa.Integer, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("subject_id", sa.String, nullable=False),
        sa.Column("before", sa.String, nullable=False),
        sa.Column("after", sa.String, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("transitions_of_job", "transitions", ["job", "id"])
    op.create_table(
        "gpu_marks",
        sa.Column("gpu", sa.String, primary_key=True),
        sa.Column("condition", sa.String, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )
    op.create_table(
        "projects",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("member", sa.String, nullable=False),
        sa.Column("uid", sa.Integer, nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
    )


def downgrade() -> None:
    for table in ("sessions", "projects", "gpu_marks", "transitions", "turns", "environments", "launches", "jobs"):
        op.drop_table(table)
