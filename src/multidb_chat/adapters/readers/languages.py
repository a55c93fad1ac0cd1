"""In which language a text is: common words decide for the large western languages, a model for all others."""

import re

UNDETERMINED = "und"  # ISO 639-2
_SAMPLE = 2000
# Below this a guess is often wrong, so none is made.
_SHORTEST = 60
_WORD = re.compile(r"[^\W\d_]+")
# The most frequent words of each language, those left out that two of them share with the same frequency. They spare
# most texts the model, whose loading takes most of a second.
_COMMON = {
    "en": "the of and to is was that for it with as on be this are by from which have not were they has been their",
    "de": "der die und das ist nicht ein eine zu den mit von sich auf dem des im für auch wird als oder werden bei",
    "fr": "le les des est et une du dans qui que pour pas sur au par plus sont avec cette ce ne aux ont mais elle nous",
    "es": "el los las que y en una por con para del se es como más pero sus al fue este ha son esta entre cuando",
    "it": "il di che è della per una con non sono gli dei alla nel più del si dalla delle come anche questo ha i",
    "pt": "o os que não uma em para com do da dos das é por mais ao pelo sua são foi também seu ou na no",
    "nl": "de het een van en is dat niet op te zijn voor met aan er ook als bij door naar wordt hij werd uit maar",
}
_WORDS = {language: frozenset(words.split()) for language, words in _COMMON.items()}


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of the text's language, "" when it is too short to tell."""
    sample = text[:_SAMPLE]
    if len(text) > 3 * _SAMPLE:  # The begin is often a title page or a licence.
        sample = text[len(text) // 3 :][:_SAMPLE]
    if sum(map(str.isalpha, sample)) < _SHORTEST:
        return ""
    return _by_common_words(sample) or _by_model(sample)


def language_code(stated: str, text: str) -> str:
    """Return the language a document states, reduced to its code ("en-US" is "en"), or else what its text tells.

    `UNDETERMINED` states that it is not to be told from the text.
    """
    match = re.match(r"[A-Za-z]{2,3}(?![A-Za-z])", stated.strip())
    if not match:
        return language_of(text)
    return "" if match[0].lower() == UNDETERMINED else match[0].lower()


def _by_common_words(sample: str) -> str:
    words = [word.lower() for word in _WORD.findall(sample)]
    shares = sorted(((sum(w in common for w in words), language) for language, common in _WORDS.items()), reverse=True)
    (most, language), (second, _) = shares[:2]
    return language if most >= 0.15 * len(words) and most >= 1.5 * second else ""


def _by_model(sample: str) -> str:
    import py3langid  # type: ignore[import-untyped]

    return str(py3langid.classify(sample)[0])
