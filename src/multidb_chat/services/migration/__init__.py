"""Moving the stores of an installation from one place to another while people go on using it.

`carrying` makes one table of the target what it is in the source; `migration` does it for all tables of all stores that
are to move, and says whether both sides are the same now.
"""
