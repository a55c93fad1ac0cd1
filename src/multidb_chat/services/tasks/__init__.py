"""Background work: asked for, done by workers in this or another process, and told in the inbox when it ended.

============  ====================================================================
`service`     submitting, listing, cancelling and waiting; retrying and purging
`requests`    what is typed into a chat to begin one
`handling`    what a kind of task is: its name, its payload, who does it
`worker`      claims tasks and runs their handlers, safe among other workers
`inbox`       what ended and was not cleared, and how many were not read
`reports`     the result of a task: a Markdown report with figures and citations
============  ====================================================================
"""
