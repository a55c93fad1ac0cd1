"""Answers in the documents' own words: the sentences that support an answer are picked, ordered and cited.

==============  =========================================================================
`sentences`     a passage as sentences, list items, steps, code and rows, each with its exact span
`words`         the normal form of words: folded, stemmed, numbers and names told apart
`lexicon`       the English words it needs: function words, irregular forms, near-synonyms
`question`      what kind of answer a question asks for, and which of its words must be met
`passages`      passages taken apart, and what stands around each of their units
`evidence`      how far each unit meets the words of the question
`reading`       what is read with the question in mind: promising sentences, with what is around them
`judging`       what a unit is worth, and whether it supports an answer at all
`selection`     which sentences, with which neighbours, in which order
`gist`          what a text is about as a whole
`rendering`     the sentences as safe Markdown
`citing`        citations and their `[n]` marks
`extractive`    the `Answerer` made of these
`answer_cache`  answers kept for the next time
`codec`         an answer as plain data, for the cache, `--json` and stored messages
==============  =========================================================================
"""
