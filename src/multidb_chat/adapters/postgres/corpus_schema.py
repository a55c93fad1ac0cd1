"""The tables of what occurs in the documents, and the views of them for whoever asks in SQL.

There is a row for each way in which a document writes a term: `small` tells whether it has no capital, since a term is
shown with one only if it never goes without. Terms and sentences may be of any length, so no index holds one whole.
What is in these tables is derived from the library and can be emptied at any time.
"""

CORPUS = """
    CREATE TABLE corpus_state (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        library text NOT NULL,
        method integer NOT NULL,
        watermark bigint NOT NULL
    );
    INSERT INTO corpus_state (library, method, watermark) VALUES ('', 0, 0);
    CREATE TABLE corpus_documents (
        document_id text COLLATE "C" PRIMARY KEY,
        collection_id text COLLATE "C" NOT NULL,
        name text NOT NULL,
        revision integer NOT NULL,
        seq bigint NOT NULL
    );
    CREATE INDEX corpus_documents_by_collection ON corpus_documents (collection_id);
    CREATE TABLE corpus_term_counts (
        document_id text COLLATE "C" NOT NULL REFERENCES corpus_documents ON DELETE CASCADE,
        term text COLLATE "C" NOT NULL,
        form text COLLATE "C" NOT NULL,
        small boolean NOT NULL,
        count integer NOT NULL
    );
    CREATE INDEX corpus_term_counts_by_document ON corpus_term_counts (document_id);
    CREATE INDEX corpus_term_counts_by_term ON corpus_term_counts USING hash (term);
    CREATE TABLE corpus_sentence_counts (
        document_id text COLLATE "C" NOT NULL REFERENCES corpus_documents ON DELETE CASCADE,
        sentence text COLLATE "C" NOT NULL,
        count integer NOT NULL
    );
    CREATE INDEX corpus_sentence_counts_by_document ON corpus_sentence_counts (document_id);
    CREATE VIEW corpus_terms AS
        SELECT collection_id, term, all_of_it.count, documents, written.form AS written
        FROM (
            SELECT collection_id, term, sum(count)::bigint AS count, count(DISTINCT document_id) AS documents
            FROM corpus_term_counts JOIN corpus_documents USING (document_id)
            GROUP BY collection_id, term
        ) AS all_of_it JOIN (
            SELECT DISTINCT ON (collection_id, term) collection_id, term, form
            FROM corpus_term_counts JOIN corpus_documents USING (document_id)
            GROUP BY collection_id, term, form, small
            ORDER BY collection_id, term, small DESC, sum(count) DESC, form
        ) AS written USING (collection_id, term);
    CREATE VIEW corpus_sentences AS
        SELECT collection_id, sentence, sum(count)::bigint AS count, count(*) AS documents
        FROM corpus_sentence_counts JOIN corpus_documents USING (document_id)
        GROUP BY collection_id, sentence;
"""
