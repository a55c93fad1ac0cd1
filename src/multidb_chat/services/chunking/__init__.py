"""From a text with structure to passages: what is embedded, searched and cited.

============  ===============================================================================================
`sections`    a document's blocks by what may share a passage
`structure`   passages of neighbouring blocks; where one is too long, cut where it hurts least
`semantic`    the same, but long sections are cut where neighbouring sentences are least alike in meaning
`fixed`       passages of equal length, whatever the structure
`cutting`     one of these, as a collection has it; and what is embedded for a passage
============  ===============================================================================================

Passages are spans of the document: they never overlap, never reach over a page, and together leave out only white
space.
"""
