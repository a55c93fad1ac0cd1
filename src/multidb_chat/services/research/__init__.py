"""A topic researched in the account's documents: what `/research` does, without a language model.

================  ================================================================
`facets`          a topic as questions: its own, the usual ones, those of the library
`quoting`         sentences that say why, beside those that meet a question's words
`findings`        what was found for each question, with citations numbered through
`investigation`   the handler: asks, follows up, writes, saves
`rendering`       the report as Markdown
================  ================================================================
"""
