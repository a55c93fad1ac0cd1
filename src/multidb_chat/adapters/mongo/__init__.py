"""The library on MongoDB: the port `Library`, for many processes on many machines at once.

It needs no transactions of the server. `transactions` orders all writers by one record that is changed atomically;
`content` keeps what is large under a name that is new for each state of a document, so that one small record switches a
document from its old state to its new one. `collections`, `storing` and `removing` plan changes, `reading` and
`passages` read, `records` and `texts` say how it all lies in BSON, and `errors` is the border where the driver's errors
become the program's. `search` is the port `SearchIndex` by the server's own search, where it has one: `search_indexes`
finds out, `search_queries` asks, `search_scores` understands the answers. `upkeep` looks after it all.
"""
