"""The pieces of `ingestion`: finding sources, opening them, preparing documents, the pipeline and its events."""
