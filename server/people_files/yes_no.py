"""Yes and no as directories and spreadsheet programs write them, in the languages of the offices that use them."""

_NO = frozenset(
    [
        "false",
        "no",
        "0",
        "faux",
        "non",
        "falsch",
        "nein",
        "falso",
        "onwaar",
        "nee",
        "falskt",
        "falsk",
        "nej",
        "usann",
        "nei",
        "epätosi",
        "ei",
        "fałsz",
        "nie",
        "nepravda",
        "ne",
        "hamis",
        "nem",
        "yanlış",
        "hayır",
        "ложь",
        "нет",
        "fals",
        "nu",
        "ψευδές",
        "όχι",
    ]
)
_YES = frozenset(
    [
        "true",
        "yes",
        "1",
        "-1",
        "vrai",
        "oui",
        "wahr",
        "ja",
        "verdadero",
        "sí",
        "si",
        "vero",
        "waar",
        "sant",
        "sand",
        "sann",
        "tosi",
        "kyllä",
        "prawda",
        "tak",
        "pravda",
        "ano",
        "áno",
        "igaz",
        "igen",
        "doğru",
        "evet",
        "истина",
        "да",
        "adevărat",
        "da",
        "verdadeiro",
        "sim",
        "αληθές",
        "ναι",
    ]
)


def yes_or_no(text: str) -> bool | None:
    """What the text says; None where it says neither."""
    word = text.strip().casefold()
    return True if word in _YES else False if word in _NO else None
