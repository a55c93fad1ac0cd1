"""What happens when a store is away: breakers and deadlines before stores on servers, and what waits for them.

breaker       one store's breaker: closed, open, probing
budget        how long one turn may wait for stores, all its calls together
guard         deadline, breaker and rare retries around a call
guarded       a port's store behind a guard, method by method
"""
