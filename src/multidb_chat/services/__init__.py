"""Floor 1: what is true whichever database or face is in use."""
