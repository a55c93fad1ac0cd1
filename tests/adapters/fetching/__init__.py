"""The fetcher, against a local server and a table of addresses."""
