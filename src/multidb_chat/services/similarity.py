"""How alike two texts are, by their vectors."""


def cosine(first: bytes, second: bytes) -> float:
    """Return the cosine similarity of two unit vectors (float32, little-endian)."""
    import numpy as np

    return float(np.frombuffer(first, "<f4") @ np.frombuffer(second, "<f4"))
