"""Answers that a language model writes from passages, checked against them as they come.

`prompting`    what the model is told: rules, and the passages in a channel of their own
`hearing`      from pieces of text to whole sentences with the passages they name
`supporting`   whether a passage supports a sentence, and which of its words do
`asking`       a short question for the program's own use; `paying` says who pays for it
`answerer`     the `Answerer` made of these, with the quoting one to fall back on
"""
