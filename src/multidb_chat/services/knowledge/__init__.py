"""Curated questions and answers.

`base` finds the entry for a question: the one with the same question, else one that asks the same in other words
(`memory` keeps the vectors, `sameness` decides). `curation` is what administrators do with entries, `exchange` reads
and writes them as CSV and JSON.
"""
