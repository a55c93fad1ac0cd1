"""Floor 1: the only code that knows a driver or a file format; plain arguments in, domain errors out."""
