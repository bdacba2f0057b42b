"""A Russian name as English and Urdu papers spell it: nobody keeps to one table.

English: the table of BGN/PCGN, that of passports (ICAO 9303) and what papers make of both; written out when the
lexicon is compiled. Urdu papers write what they hear, with long vowels, short ones or none, and the dental or the
retroflex t and d: there a name is known by its consonants (`skeleton`), whether they come from Urdu letters or from
Russian ones.
"""

from __future__ import annotations

import functools
import itertools
import re

_LATIN = dict(
    zip(
        "абвгдежзийклмнопрстуфхцчшщъыьэюя",
        "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch - y - e yu ya".replace("-", "").split(" "),
        strict=True,
    )
)
_VOWELS = "аеиоуыэюя"
_URDU = dict(zip("бвгджзклмнпрстфхцчшщ", "ب و گ د ز ز ک ل م ن پ ر س ت ف خ تس چ ش شچ".split(), strict=True))
# Letters of one sound as one; vowels, glides and breathings as none.
_ALIKE = str.maketrans("ٹطڈصثذضظژغقڑں", "تتدسسززززگکرن", "اآویےئؤءعہھحۂۃ")


def english(name: str) -> list[str]:
    """Latin spellings of a Cyrillic name, each word in its own case. At most eight."""
    choices = [_latin_word(word) for word in re.split(r"(?<=[ -])", name)]
    return ["".join(row) for row in itertools.islice(itertools.product(*choices), 8)]


def _latin_word(word: str) -> list[str]:
    low = word.lower().replace("ё", "е")
    plain = "".join(
        "ye" if c == "е" and (i == 0 or low[i - 1] in _VOWELS + "ьъ") else _LATIN.get(c, c) for i, c in enumerate(low)
    )
    forms = [re.sub(r"(?<=[a-z])(?:iy|yy)(?= ?$)", "y", plain)]
    for find, by in (("ye", "e"), ("y(?=[au])", "i"), ("y(?= ?$)|(?<=[aeou])y", "i"), ("kh", "h"), ("shch", "sch")):
        forms.append(re.sub(find, by, forms[0]))
    forms.append(re.sub(r"(?<=[aeiou])y(?=e)", "i", forms[0]))
    if "ё" in word.lower():
        forms.append(re.sub(r"e(?=[a-z]*$)", "yo", forms[0], count=1))
    return [form.capitalize() for form in dict.fromkeys(forms)]


def heard(name: str) -> str:
    """The skeleton by which the name may be known, or "" where too little of it is left to tell it from other words."""
    found = skeleton(name)
    words = found.split(" ")
    long = len(found) - len(words) + 1
    enough = long >= 5 if len(words) == 1 else long >= 6 and min(map(len, words)) >= 2
    return found if enough else ""


@functools.lru_cache(8_192)  # half of all words that Urdu papers use; 19 of 20 are found
def skeleton(name: str) -> str:
    """The consonants of a folded name in Urdu or Russian letters, word for word: 'srg lrf' for Sergey Lavrov."""
    words = []
    for word in re.findall(r"\w+", name.lower().replace("ё", "е")):
        word = re.sub(r"(?<=[а-я]{2})[ое]в(?=а?$)", "ф", word)  # -ov, -ev: Urdu writes what is heard
        word = re.sub(r"(?<=..)(?:وو|ؤو|یو)$", "ف", word)
        letters = "".join(_URDU.get(c, "" if "а" <= c <= "я" else c) for c in word).translate(_ALIKE)
        words.append(re.sub(r"(.)\1+", r"\1", letters))
    return " ".join(words)
