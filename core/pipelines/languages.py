"""Languages: their names, the codes that translation models know them by, and which one a text is in."""

from __future__ import annotations

from functools import cache
from typing import Any

from core.errors import BadSetting

# ISO 639-1 code: (name, code of FLORES-200 as NLLB's tokens have it).
LANGUAGES: dict[str, tuple[str, str]] = {
    "af": ("Afrikaans", "afr_Latn"), "am": ("Amharic", "amh_Ethi"), "ar": ("Arabic", "arb_Arab"),
    "az": ("Azerbaijani", "azj_Latn"), "be": ("Belarusian", "bel_Cyrl"), "bg": ("Bulgarian", "bul_Cyrl"),
    "bn": ("Bengali", "ben_Beng"), "bs": ("Bosnian", "bos_Latn"), "ca": ("Catalan", "cat_Latn"),
    "cs": ("Czech", "ces_Latn"), "cy": ("Welsh", "cym_Latn"), "da": ("Danish", "dan_Latn"),
    "de": ("German", "deu_Latn"), "el": ("Greek", "ell_Grek"), "en": ("English", "eng_Latn"),
    "eo": ("Esperanto", "epo_Latn"), "es": ("Spanish", "spa_Latn"), "et": ("Estonian", "est_Latn"),
    "eu": ("Basque", "eus_Latn"), "fa": ("Persian", "pes_Arab"), "fi": ("Finnish", "fin_Latn"),
    "fr": ("French", "fra_Latn"), "ga": ("Irish", "gle_Latn"), "gu": ("Gujarati", "guj_Gujr"),
    "he": ("Hebrew", "heb_Hebr"), "hi": ("Hindi", "hin_Deva"), "hr": ("Croatian", "hrv_Latn"),
    "hu": ("Hungarian", "hun_Latn"), "hy": ("Armenian", "hye_Armn"), "id": ("Indonesian", "ind_Latn"),
    "is": ("Icelandic", "isl_Latn"), "it": ("Italian", "ita_Latn"), "ja": ("Japanese", "jpn_Jpan"),
    "ka": ("Georgian", "kat_Geor"), "kk": ("Kazakh", "kaz_Cyrl"), "ko": ("Korean", "kor_Hang"),
    "lt": ("Lithuanian", "lit_Latn"), "lv": ("Latvian", "lvs_Latn"), "mk": ("Macedonian", "mkd_Cyrl"),
    "mn": ("Mongolian", "khk_Cyrl"), "mr": ("Marathi", "mar_Deva"), "ms": ("Malay", "zsm_Latn"),
    "nl": ("Dutch", "nld_Latn"), "nb": ("Norwegian", "nob_Latn"), "pa": ("Punjabi", "pan_Guru"),
    "pl": ("Polish", "pol_Latn"), "pt": ("Portuguese", "por_Latn"), "ro": ("Romanian", "ron_Latn"),
    "ru": ("Russian", "rus_Cyrl"), "sk": ("Slovak", "slk_Latn"), "sl": ("Slovene", "slv_Latn"),
    "so": ("Somali", "som_Latn"), "sq": ("Albanian", "als_Latn"), "sr": ("Serbian", "srp_Cyrl"),
    "sv": ("Swedish", "swe_Latn"), "sw": ("Swahili", "swh_Latn"), "ta": ("Tamil", "tam_Taml"),
    "te": ("Telugu", "tel_Telu"), "th": ("Thai", "tha_Thai"), "tl": ("Tagalog", "tgl_Latn"),
    "tr": ("Turkish", "tur_Latn"), "uk": ("Ukrainian", "ukr_Cyrl"), "ur": ("Urdu", "urd_Arab"),
    "vi": ("Vietnamese", "vie_Latn"), "xh": ("Xhosa", "xho_Latn"), "yo": ("Yoruba", "yor_Latn"),
    "zh": ("Chinese", "zho_Hans"), "zu": ("Zulu", "zul_Latn"),
}  # fmt: skip


def name_of(code: str) -> str:
    """The language's name. Raises BadSetting for a code that is not known."""
    if code not in LANGUAGES:
        raise BadSetting(f"There is no language {code[:20]!r} here. Its code is needed, such as en or fr.")
    return LANGUAGES[code][0]


def detected(text: str) -> str:
    """The code of the language that `text` is in. Raises BadSetting where that cannot be told."""
    from lingua import LanguageDetectorBuilder

    ranked = [row.language for row in _detector().compute_language_confidence_values(text[:4000])[:_LIKELY]]
    # The quick look is often wrong about a short sentence, but what it is has been among the first.
    closer = LanguageDetectorBuilder.from_languages(*ranked).build()
    found = closer.compute_language_confidence_values(text[:4000])[0]
    # "Hi" may be Basque: of a greeting nobody can be sure, and a guess would fetch the wrong model.
    if found.value < _SURE and sum(map(str.isalpha, text)) < _SHORT:
        raise BadSetting("The text is too short to tell its language. Choose it.")
    code = found.language.iso_code_639_1.name.lower() if found.value else ""
    code = "nb" if code == "nn" else code
    if code not in LANGUAGES:
        raise BadSetting("The language of the text cannot be told. Choose it.")
    return code


_SHORT, _SURE = 20, 0.5  # letters, and the share of all doubt that the likeliest language must have
_LIKELY = 8  # All 75 at full accuracy would take 1 GB of memory.


@cache
def _detector() -> Any:
    """Lingua, on all languages, by three letters at a time alone."""
    from lingua import LanguageDetectorBuilder

    return LanguageDetectorBuilder.from_all_languages().with_low_accuracy_mode().build()
