"""The embedded stores: each port in one SQLite file, durable when a call returns, safe for several processes at once.

`database` is the file with its threads and transactions, `migrations` its schema, `database_errors` the border where
the driver's errors become the program's. Each store's module beside them implements one port.
"""
