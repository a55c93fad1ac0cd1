"""In which language a text is: its script and its most common words tell, at next to no cost.

A statistical model knows more languages, but its loading alone takes the time of reading fifty documents.
"""

import re

UNDETERMINED = "und"  # ISO 639-2
_SAMPLE = 2000
# Below this many letters a guess is often wrong, so none is made.
_SHORTEST = 40
# In running text about every third word is one of the common ones; in lists and tables there are few.
_LEAST_SHARE = 0.12
_AHEAD = 1.2
_WORD = re.compile(r"[^\W\d_]+")
_COMMON = {
    "en": "the of and to is was that for it with as on be this are by from which have not were they has been their in",
    "de": "der die und das ist nicht ein eine zu den mit von sich auf dem des im für auch wird als oder werden bei in",
    "fr": "le les des est et une du dans qui que pour pas sur au par plus sont avec cette ce ne aux ont mais la de un",
    "es": "el los las que y en una por con para del se es como más pero sus al fue este son esta entre la de un a su",
    "it": "il di che è della per una con non sono gli dei alla nel più del si dalla delle come anche questo la un e i",
    "pt": "o os que não uma em para com do da dos das é por mais ao pelo sua são foi também seu ou na no de um a e as",
    "nl": "de het een van en is dat niet op te zijn voor met aan er ook als bij door naar wordt hij werd uit maar in",
    "sv": "och att det som en på är av för med den till inte har de ett om var men sig från kan vi jag eller när i",
    "da": "og at det som en på er af for med den til ikke har de et om var men sig fra kan vi jeg eller når blev meget",
    "nb": "og at det som en på er av for med den til ikke har de et om var men seg fra kan vi jeg eller når ble veldig",
    "fi": "ja on ei että se oli hän joka mutta ovat myös kun niin ole tai sen mukaan voi kuin olla tämä jos jonka",
    "pl": "w i na z się nie do że jest to o jak ale po od za przez są oraz dla był co tym jego być może która który",
    "cs": "a se na je v že to s z do o i ve jako pro by ale jsem jsou byl od po při které který nebo také být jeho",
    "sk": "a sa na je v že to s z do o aj vo ako pre by ale som sú bol od po pri ktoré ktorý alebo tiež byť jeho",
    "hu": "a az és hogy nem is egy ez volt meg de azt csak már van mint el ki kell vagy még ha ezt után majd lehet",
    "ro": "și în de la a cu pe care nu este din o un se că pentru mai sunt au fost sau dar ce fi prin ale după să",
    "tr": "ve bir bu da de için ile olarak çok daha olan gibi en kadar sonra ne ama var değil o ki her göre ise veya",
    "id": "yang dan di dengan untuk dari ini dalam itu pada tidak adalah ke akan juga oleh atau sebagai ada mereka",
    "vi": "và của là có được cho không các trong người một với này đã những để khi từ cũng như đó về đến vào",
    "ru": "и в не на что с по это как из он но к за от то так же у для был его все при или они мы бы если она а о",
    "uk": "і в не на що з по це як із він але до за від та у для був його й про або вони ми якщо вона є також які",
    "bg": "и в не на че с по това как от той но за са се да е при или те ние ще ако тя към който беше а като което",
}
_WORDS = {language: frozenset(words.split()) for language, words in _COMMON.items()}
# Scripts that (nearly) one language alone is written in; letters of a second language that shares it come first.
_SCRIPTS = {
    "fa": "[پچژگ]",
    "ar": "[\u0600-\u06ff]",
    "he": "[\u0590-\u05ff]",
    "el": "[\u0370-\u03ff]",
    "hi": "[\u0900-\u097f]",
    "bn": "[\u0980-\u09ff]",
    "ta": "[\u0b80-\u0bff]",
    "th": "[\u0e00-\u0e7f]",
    "ka": "[\u10a0-\u10ff]",
    "hy": "[\u0530-\u058f]",
    "ko": "[\uac00-\ud7af\u1100-\u11ff]",
    "ja": "[\u3040-\u30ff]",
    "zh": "[\u4e00-\u9fff]",
}
_LETTERS = {language: re.compile(letters) for language, letters in _SCRIPTS.items()}
# A page of Japanese has Chinese characters too, a page of Persian mostly Arabic letters: these few suffice.
_FEW = {"fa": 0.02, "ja": 0.1, "ko": 0.3}


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of the text's language, "" when it is too short or cannot be told."""
    sample = text[:_SAMPLE]
    if len(text) > 3 * _SAMPLE:  # The begin is often a title page or a licence.
        sample = text[len(text) // 3 :][:_SAMPLE]
    letters = sum(map(str.isalpha, sample))
    if not sample.isascii():
        for language, script in _LETTERS.items():
            if len(script.findall(sample)) > _FEW.get(language, 0.4) * max(letters, 8):
                return language
    return _by_common_words(sample) if letters >= _SHORTEST else ""


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
    counts = sorted(((sum(w in common for w in words), language) for language, common in _WORDS.items()), reverse=True)
    (most, language), (second, _) = counts[:2]
    return language if most >= _LEAST_SHARE * len(words) and most >= _AHEAD * second else ""
