"""The conversations on a ScyllaDB or Apache Cassandra cluster, safe for any number of processes at once.

`address` reads where it is, `cluster` connects to it, `connection` is how statements are sent to it and awaited,
`errors` the border where the driver's errors become the program's, `creating` and `schema` its tables. The modules
named `conversations_…`, `knowledge` and `feedback` are what the port does; `conversations` is the port.
"""
