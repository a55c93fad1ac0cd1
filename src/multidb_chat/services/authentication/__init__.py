"""Who somebody is: registering, logging in, sessions, and the proofs that an account has.

`service` and `security` are what faces call; they check who may do what. The other modules are their parts, which check
nothing themselves:

=================  =================================================================
`passwords`        what a password must be, and how it is hashed
`one_time`         codes that are good once
`throttle`         attempts that have to wait longer and longer
`sessions`         tokens, and the rows that decide whether they are good
=================  =================================================================
"""
