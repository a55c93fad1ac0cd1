"""What a language model gets to know of the conversation: the latest turns in their words, older ones summed up.

- `summary`: a summary as a message of the conversation, which it is stored, exported and erased with
- `window`: what of a branch fits into the budget, and what is to be summed up
- `summing_up`: what a model is asked for a summary, and what is taken of its answer
- `service`: reads it for a turn, and sums up beside the turns
"""
