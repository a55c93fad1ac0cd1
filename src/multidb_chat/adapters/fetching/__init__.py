"""Fetching of public URLs: which addresses may be reached, the connection that reaches them, and the adapter."""

from multidb_chat.adapters.fetching.fetcher import UrlFetcher

__all__ = ["UrlFetcher"]
