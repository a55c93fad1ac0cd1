"""Floor 3: the shell commands. A command parses, calls a service and renders."""
