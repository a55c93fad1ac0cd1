"""A chatbot for the terminal that answers from the user's own documents and shows where each sentence came from."""

__version__ = "0.1.0"
