"""Where long words may be parted.

Browsers part words by patterns that not every system has, and German in large letters on a narrow
screen has words that fit on no line. So that none breaks wherever the line ends, the words of the
App that are long carry soft hyphens, which show only where a word is parted. A list of them is
enough: the patterns of a library would cost each phone a second and 15 MB when it starts.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

SOFT_HYPHEN: Final = "\N{SOFT HYPHEN}"
_JOINT: Final = "|"

# Stems rather than words: what stands before or after them does not matter.
_NAMES: Final = "Alessan|dria Basili|cata Caltanis|setta Campo|basso Catan|zaro Lom|bardia"
_JOINTS: Final[Mapping[str, str]] = {
    "de": """
        aktuali|sier Aktuali|sier Anste|ckung Aufent|halts|ort aus|geschaltet Aus|geschaltet
        Begeg|nungs|mitteilung benach|richtig Daten|schutz|beauftragt Daten|schutz|behörde
        Daten|schutz|hinweis deinstal|lier ein|geschaltet Ein|geschaltet ein|gerichtet
        ein|schalten einzu|schalten Einstel|lung Erziehungs|berechtigt Flug|gesell|schaft
        fortzu|fahren funktio|nier Funk|signal Geschmacks|sinn Gesell|schaft
        Gesund|heits|dienst Gewohn|heit heraus|finden heraus|gefunden instal|lieren
        Instal|lieren Internet|verbindung Medizin|produkt Mittei|lung Nutzungs|bedingung
        Privat|sphäre Risiko|kontakt schief|gegangen Schlüssel|speicher Schutz|kleidung
        Software|update Strom|spar|programm System|update unan|gekündigt unter|scheiden
        verant|wort ver|öffentlich Ver|öffentlich verschlos|sen ver|schlüsselt
        ver|schwindet Zufalls|code Zufalls|schlüssel zwei|einhalb
    """,
    "en": "unan|nounced where|abouts",
    "es": """
        actuali|zaciones Actuali|zación actualí|zalos aplica|ciones compro|bación
        comproba|ciones desacti|vadas Desacti|vadas desplaza|mientos directa|mente
        intercam|bia Intercam|bia notifi|cación notifica|ciones Notifica|ciones
        recupe|rarlos Seleccio|nado
    """,
    "fr": """
        appa|raissent applica|tions approxi|matives autori|sation Autori|sation
        confiden|tialité définitive|ment déplace|ments escro|queries Histo|rique Locali|sation
        locali|sation notifi|cation Notifi|cation proprié|taire reconnais|sable
        rétablis|sement significa|tion utilisa|tion vérifi|cation
    """,
    "it": """
        acconsen|tito Aggior|namento aggiorna|menti approssi|mativ Cronolo|gia
        diretta|mente disinstal|lar Impo|stazioni impo|stazioni Informa|zioni
        Informa|tiva proprie|tario riaccen|derlo segnala|zione
    """,
}
# Names in two languages have a stroke between them, where no hyphen is needed.
_STROKE: Final = r"(?<=\w)/(?=\w)"
# Only what is read: no tag with its attributes, no title of a tab, nothing to be copied.
_UNREAD: Final = r"<title>.*?</title>|<pre.*?</pre>|<[^>]*>"


def parted(page: str, code: str) -> str:
    """Put soft hyphens into the long words of a page, or of a part of one.

    Args:
        page: HTML.
        code: The language that it is written in.
    """
    pattern, part = _parting(code)
    return pattern.sub(part, page)


@cache
def _parting(code: str) -> tuple[re.Pattern[str], Callable[[re.Match[str]], str]]:
    words = {
        word.replace(_JOINT, ""): word.replace(_JOINT, SOFT_HYPHEN)
        for word in f"{_NAMES} {_JOINTS.get(code, '')}".split()
    }
    # Of two that begin alike the longer one.
    longest_first = "|".join(sorted(words, key=len, reverse=True))
    pattern = re.compile(f"{_UNREAD}|{_STROKE}|{longest_first}", re.DOTALL)
    words["/"] = "/<wbr>"
    return pattern, lambda found: words.get(found[0], found[0])
