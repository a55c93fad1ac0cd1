"""Floor 0: the words of the program, standard library only.

One module a topic; a topic's records stand beside the port that stores or makes them:

===================  ==============================================================
`errors`             the one error tree
`ids`                time-ordered identifiers, made once by the writer
`text`               the terminal sanitiser and the normal form of a question
`accounts`           accounts, sessions, usage, audit            port `Accounts`
`tasks`              background work, the queue, the inbox       port `Tasks`
`audit`              who did what, in a chain                    ports `AuditTrail`, `Anchor`
`credentials`        second factors, one-time codes, attempts    port `Credentials`
`signing_in`         passwords, tokens, the stored log-in        ports `PasswordHasher`, `TokenSigner` ...
`keys`               the installation's own secrets              port `Keys`
`conversations`      conversations, messages, knowledge, feedback  port `Conversations`
`library`            collections, documents, chunks, changes     port `Library`
`cache`              cache keys, counters, notifications         port `Cache`
`journal`            what waits for a store that is away         port `Journal`
`reading`            files in, text with structure out           ports `DocumentReader`, `Fetcher`
`search`             matches, filters                            ports `Embedder`, `SearchIndex`
`turns`              one question and its answer as events       port `Answerer`
===================  ==============================================================
"""
