"""Statistics of the documents of an account: what `/analyze` tells.

==============  ==================================================================
`analysis`      the handler: goes through the documents page by page
`scope`         which collections and words a description is about
`counting`      one document: sentences, words, terms, what they are like
`tallying`      all documents together, in bounded memory
`frequencies`   counts that stay bounded however much is counted
`following`     tables of terms and sentences, where there are, behind the library
`entities`      names, dates and amounts
`readability`   how hard a text is to read
`duplicates`    documents that are nearly the same (MinHash)
`topics`        what the passages are about (k-means over their vectors)
`figures`       the result as records, which are also its JSON
`rendering`     the result as Markdown
`charts`        bars and lines of characters
==============  ==================================================================
"""
