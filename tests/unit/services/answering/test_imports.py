"""What a cached answer must not load."""

import subprocess
import sys


def test_a_cached_answer_loads_neither_numpy_nor_the_stemmer_nor_the_answerers_parts() -> None:
    code = (
        "import sys, multidb_chat.services.chat, multidb_chat.services.answering.extractive\n"
        "heavy = {'numpy', 'onnxruntime', 'tokenizers', 'snowballstemmer', 'semchunk', 'usearch'}\n"
        "print(sorted(heavy & set(sys.modules)), 'multidb_chat.services.answering.evidence' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "[] False"
