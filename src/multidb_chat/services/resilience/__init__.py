"""What happens when a store on a server is away.

breaker                 one store's breaker: closed, open, probing
budget                  how long one turn may wait for stores, all its calls together
guard                   deadline, breaker and rare retries around a call
guarded, ports          a port's store behind a guard, method by method
journaled_conversations conversations that go on while their store is away (talk_entries, talk_replay, recent)
leases                  a few messages while nobody can count them
replaying               what waits in the journal, done in order
spool                   uploads that wait for the library
states, outage_log      which store is away, since when, and what waits for it
"""
