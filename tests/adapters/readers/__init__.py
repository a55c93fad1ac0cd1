"""The readers, held to the port's rules on files of every format, good and hostile ones."""
