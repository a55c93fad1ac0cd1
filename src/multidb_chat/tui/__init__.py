"""Floor 2: the Textual app. It sees services, never adapters."""
