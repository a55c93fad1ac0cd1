"""One module a family of formats: `read(source)` yields documents, or raises `Refusal` with the reason."""
