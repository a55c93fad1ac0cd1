"""The port `Cache` on a Redis server: one, or the master that Sentinels name. Redis Cluster is not supported."""
