"""The stores that live on a PostgreSQL server (14 or newer), safe for any number of processes at once.

`server` is where it is and how it is connected to, `database` the calls of it with their transactions and deadlines,
`migrations` its schema, `errors` the border where the driver's errors become the program's, `texts` how text lies in
it. Each store's module beside them implements one port; stores of the same server share one `Database`.
"""
