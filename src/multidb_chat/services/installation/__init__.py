"""The installation as a whole: its state, its health, and backups of it.

`archive` is the backup file, `sealing` the keys within it, `backup` makes one and `restoring` puts one back; `checks`
and `health` say what is wrong and mend what is safe to mend; `overview` tells what there is.
"""
