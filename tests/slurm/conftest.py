"""One cluster for the tests of this folder."""

from tests.slurm.cluster import booted_cluster, cluster, fresh_cluster

__all__ = ["booted_cluster", "cluster", "fresh_cluster"]
