"""How well passages are found, measured with questions whose relevant documents are known.

==============  ====================================================================
`judgements`    queries and relevance judgements in the usual formats
`measures`      nDCG, recall and reciprocal rank of one ranking
`significance`  whether a difference of means could be chance
`configuration` ways of searching that can be compared
`evaluation`    all queries in each way, and the comparison
==============  ====================================================================
"""
