"""Embedders: one module each, loaded only when the first text is embedded."""
