"""Language models: those behind a provider's or a local server's interface, and files that run in this process."""
