"""Is a sentence English? Counts of short words decide, so the same sentence always gets the same answer."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from smart_reach.engine.english import SMALL_NUMBERS

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
_ENOUGH = 6  # so many words without one common English word among them are not English
_ENGLISH: Final = frozenset(
    re.findall(
        r"\S+",
        """a about after all also an and any are as at back be because been before but by can do does for from
    get gets give has have here how i if in into is it it's its just like make may me more most my new no
    not now of off on one only or other our out over own pay pays per see so some than that the their them
    then there these they this those through to under up us use was we well what when where which while who
    will with without would yes you your yours
    account apr bank banking card cashback cover credit deposit insurance loan mortgage percent point
    representative savings status subject twenty thirty forty fifty hundred thousand""",
    )
) | frozenset(SMALL_NUMBERS)
# Common words of German, Spanish, Portuguese, French, Italian and Dutch, without their accents and without
# any that are English words too.
_FOREIGN: Final = frozenset(
    re.findall(
        r"\S+",
        """aber auf aus bei bis das dem den der dich dir ein eine einem einen einer es euch fur haben ihr ihre
    ihren ist jede jeden jeder jedes jetzt kein keine konnen mehr mit nach nicht noch nur oder ohne sie sind
    und uns unser unsere unseren vom von vor wenn wir wird zu zum zur uber dein deine alle
    al como cuando cualquier cuenta del desde donde el ella ellos en entre esta este hasta la las lo los
    mas mucho muy nosotros nuestra nuestro nunca para pero por porque que siempre sobre su sus
    tiene todo todos tu tus una unas unos usted ustedes y ya sera
    ao aos com cada da das dos e ela ele eles em entre foi isso mais mas muito na nao nas nem nossa nosso
    nunca os ou pela pelo qualquer quando sem sempre seu sua seus suas tem todos um uma voce voces sao
    aux avec ce ces cette chez dans de depuis des du elle est et etre il ils je jamais le les leur leurs
    lui mais nos notre nous ou par pas pour quand qui sans ses sont sous sur toujours tous tout tres
    un une vos votre vous
    agli ai alla alle anche che chi ci con dal dalla degli dei della delle di gli ha hanno ho il
    loro ma nel nella noi nostra nostro ogni perche piu quando sempre senza si sono sua sul sulla
    tua tutti tutto vostra vostro
    aan bij dat deze een geen het hij ik jouw kan maar naar niet ook onze op te uit van voor wij wordt ze
    zijn zonder""",
    )
) - _ENGLISH  # fmt: skip
# One of these is enough: numbers and promises of other languages.
_TELLING: Final = re.compile(
    r"\b(?:prozent|prozentig\w*|procent|ciento|cento|pourcents?|percento|porciento|porcentaje"
    r"|eins|zwei|drei|vier|funf|fuenf|sechs|sieben|acht|neun|zehn|zwolf|zwoelf|\w*(?:zwanzig|dreissig|zig)"
    r"|hundert\w*|\w*tausend|halfte|haelfte|doppelt\w*|verdoppel\w*"
    r"|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce|quince|veinte|veinti\w+|treinta|cuarenta"
    r"|cincuenta|sesenta|setenta|ochenta|noventa|cien|cientos|mil|miles de|millones|mitad|doble"
    r"|dois|duas|quatro|sete|oito|nove|dez|doze|vinte|trinta|quarenta|cinquenta|sessenta|oitenta|cem"
    r"|milhoes|metade|dobro"
    r"|deux|trois|quatre|cinq|huit|neuf|dix|vingt|trente|quarante|cinquante|soixante|mille|moitie"
    r"|quattro|cinque|sette|otto|dieci|venti|trenta|cinquanta|twee|vijf|zeven|tien|twintig|honderd"
    r"|garant(?!ees?\b|eed\b|eeing\b|ors?\b)[iy]\w*|gegarandeerd\w*|beste[nrsm]?|mejor|mejores|melhor|melhores"
    r"|meilleure?s?|miglior[ei]|gunstigste[nrs]?|billigste[nrs]?|kostenlos\w*|kostenfrei\w*|umsonst"
    r"|gratuit[aeos]?s?|risiko\w*|sans risque|sin riesgos?|sem riscos?|senza rischi\w*|riesgos?|riscos?"
    r"|zinsen|zinssatz|intereses|juros|aprobad[ao]s?|aprovad[ao]s?|genehmigt\w*|sofort)\b"
)


@lru_cache(maxsize=2048)
def is_english(sentence: str) -> bool:
    """Whether a folded sentence reads as English. Names and single loan words do not make it foreign."""
    if _TELLING.search(sentence):
        return False
    words = _WORD.findall(sentence)
    english = sum(word in _ENGLISH for word in words)
    foreign = sum(word in _FOREIGN and len(word) > 1 for word in words)
    if foreign > 1 and foreign > english:
        return False
    if not english and foreign and len(words) > 2:
        return False
    return bool(english) or len(words) < _ENOUGH
