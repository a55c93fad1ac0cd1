"""What occurs in the documents, as statements. Equal counts are ordered like `Frequencies.top` orders them."""

STATE = "SELECT library, method, watermark FROM corpus_state"
# Whoever writes holds the one row of the state, so that the steps of several processes come one behind the other.
HOLD = STATE + " FOR UPDATE"
UNDO = "UPDATE corpus_state SET library = '', method = 0, watermark = 0"
BEGIN = """
    UPDATE corpus_state SET library = %(library)s, method = %(method)s
    WHERE library = '' AND NOT EXISTS (SELECT FROM corpus_documents)
"""
ADVANCE = "UPDATE corpus_state SET watermark = %(until)s"
FORGET_SOME = """
    DELETE FROM corpus_documents WHERE document_id IN (SELECT document_id FROM corpus_documents LIMIT 1000)
"""
FORGET = "DELETE FROM corpus_documents WHERE document_id = ANY(%(ids)s)"
KNOWN = "SELECT document_id, seq FROM corpus_documents WHERE document_id = ANY(%(ids)s)"
COPY_DOCUMENTS = "COPY corpus_documents (document_id, collection_id, name, revision, seq) FROM STDIN"
COPY_TERMS = "COPY corpus_term_counts (document_id, term, form, small, count) FROM STDIN"
COPY_SENTENCES = "COPY corpus_sentence_counts (document_id, sentence, count) FROM STDIN"

_OF_THESE = "JOIN corpus_documents USING (document_id) WHERE collection_id = ANY(%(ids)s)"
DIFFERENT_TERMS = f"SELECT count(DISTINCT term) FROM corpus_term_counts {_OF_THESE}"  # noqa: S608 - a constant
TERMS = f"""
    WITH top AS (
        SELECT term, sum(count)::bigint AS total, count(DISTINCT document_id) AS documents
        FROM corpus_term_counts {_OF_THESE}
        GROUP BY term ORDER BY 2 DESC, 3 DESC, term LIMIT %(limit)s
    ), written AS (
        SELECT DISTINCT ON (term) term, form FROM corpus_term_counts
        {_OF_THESE} AND term IN (SELECT term FROM top)
        GROUP BY term, form, small ORDER BY term, small DESC, sum(count) DESC, form
    )
    SELECT form, total, documents FROM top JOIN written USING (term) ORDER BY total DESC, documents DESC, term
"""  # noqa: S608 - a constant
SENTENCES = f"""
    SELECT sentence, sum(count)::bigint, count(*) FROM corpus_sentence_counts {_OF_THESE}
    GROUP BY sentence HAVING sum(count) > 1 ORDER BY 2 DESC, 3 DESC, sentence LIMIT %(limit)s
"""  # noqa: S608 - a constant
