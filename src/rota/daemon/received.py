"""What projects and members have received: the ledger's sums, kept up to date turn by turn."""

from __future__ import annotations
