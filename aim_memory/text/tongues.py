"""Which language Latin text is in, told by its function words; and the function words of other scripts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Tongue = Literal["en", "de", "es", "fr", "it", "pt"]

FUNCTION_WORDS: dict[Tongue, frozenset[str]] = {
    "en": frozenset(
        "a about above after again against all also am an and any are as at be because been before being below "
        "between both but by can could did do does doing down during each few for from further had has have having he "
        "her here hers herself him himself his how i if in into is it its itself just let ll me might more most must "
        "my myself no nor not now of off on once only or other our ours ourselves out over own re s same shall she "
        "should so some such t than that the their theirs them themselves then there these they this those through to "
        "too under until up us ve very was we were what when where which while who whom whose why will with would you "
        "your yours yourself yourselves d m didn doesn don isn wasn weren aren couldn wouldn shouldn hasn haven hadn "
        "won ain mustn needn".split()
    ),
    "de": frozenset(
        "der die das des dem den ein eine einen einem einer eines kein keine keinen und oder aber doch sondern denn "
        "weil dass ob wenn als wie was wer wen wem wo wann warum wieso welche welcher welches welchen welchem wieviel "
        "viel viele ich du er sie es wir ihr mich mir dich dir ihn ihm uns euch sich mein meine meinen meinem meiner "
        "meines dein deine deinen sein seine seinen seinem seiner ihre ihren ihrem ihrer unser unsere unseren bin bist "
        "ist sind seid war waren wart werde wird werden wurde wurden worden habe hast hat haben hatte hatten kann "
        "kannst konnen konnte muss mussen musste soll sollte will wollen wollte darf durfen mag mochte nicht nichts "
        "nur noch schon auch sehr so da dann hier dort nun jetzt wieder immer mit ohne von vom vor nach zu zum zur bei "
        "beim aus auf an am in im ins um uber unter fur gegen durch bis seit wahrend wegen zwischen hin her mal diese "
        "dieser dieses diesen diesem jede jeder jedes alle alles etwas man".split()
    ),
    "es": frozenset(
        "el la los las lo un una unos unas de del al a y e o u pero sino que quien quienes cual cuales cuando donde "
        "adonde como cuanto cuanta cuantos cuantas porque si no ni yo tu ella ellos ellas nosotros usted ustedes me te "
        "se nos le les mi mis tus su sus nuestro nuestra en con sin por para desde hasta entre sobre hacia segun es "
        "son soy eres era eran fue fueron ser sido estoy esta estan estaba estar he ha han hay habia haber tengo tiene "
        "tienen este esto estos estas ese esa eso esos esas muy mas menos aun tambien tampoco solo cada todo toda "
        "todos todas ahora".split()
    ),
    "fr": frozenset(
        "le la les l un une des du de d au aux et ou mais donc car ni que qu qui quoi quand ou comment pourquoi "
        "combien quel quelle quels quelles je j tu il elle on nous vous ils elles me m te t se s lui leur leurs mon "
        "ma mes ton ta tes son sa ses notre nos votre vos ce c cet cette ces en y dans sur sous avec sans pour par "
        "chez vers entre est suis es sont etait etaient ete etre ai as a avons avez ont avait avaient avoir ne n pas "
        "plus tres aussi deja encore toujours tout toute tous toutes si".split()
    ),
    "it": frozenset(
        "il lo la i gli le un uno una di del dello della dei degli delle a al alla ai alle da dal dalla in nel nella "
        "nei con su sul sulla per tra fra e ed o ma che chi cui quale quali quando dove come quanto quanta perche io "
        "tu lui lei noi voi loro mi ti si ci vi ne mio mia miei mie tuo tua suo sua suoi sue nostro nostra sono sei e "
        "siamo siete era erano stato stata essere ho hai ha abbiamo hanno aveva avevano non piu molto anche gia "
        "ancora sempre tutto tutta tutti questo questa questi quello quella se".split()
    ),
    "pt": frozenset(
        "o a os as um uma uns umas de do da dos das no na nos nas ao aos a pelo pela por para com sem sobre entre ate "
        "desde e ou mas que quem qual quais quando onde como quanto quanta quantos porque se nao eu tu ele ela nos "
        "voce voces eles elas me te lhe meu minha meus minhas teu tua seu sua seus suas nosso nossa sou es sao era "
        "eram foi foram ser sido estou esta estao estava estar tenho tem tinha ter ha muito mais menos ja ainda "
        "tambem so tudo todo toda todos todas este esta isto esse essa isso agora".split()
    ),
}
"""Folded, by language."""

OTHER_STOP_WORDS = frozenset(
    # Russian
    "и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по только ее мне было вот от меня "
    "еще нет о об из ему теперь когда даже ну ли если уже или ни быть был него до вас нибудь опять уж вам ведь там "
    "потом себя ей они тут где есть надо ней для мы тебя их чем была сам чтоб чтобы без будто чего тоже себе под "
    "будет кто этот того потому этого какой какая какое какие каким какую совсем ним здесь этом один мой моя мое мои "
    "тем нее сейчас были куда зачем всех при другой хоть после над больше тот через эти нас про всего них много эту "
    "этой свой свою своей своего сколько кем почему который которая которые это эта "
    # Arabic
    "في من علي الي عن مع هذا هذه ذلك تلك التي الذي الذين ما ماذا متي اين كيف كم لماذا لان لاني لانني هل "
    "هو هي هم هما انا انت نحن كان كانت كنت يكون تكون ليس لا لم لن قد لقد ثم او ام بل اذا ان انه انها كل بعض اي قبل "
    "بعد عند عندي عندها عنده منذ حتي بين حين لي له لها لهم به بها فيه فيها منه منها عليه عليها الان و يا بكم".split()
)
"""Folded function words of Russian and Arabic."""


_LOOK_ENGLISH = frozenset("ai bin car com come con den ha hat man par plus pour sin son ton".split())
_OWN = {
    name: frozenset(word for word in words - FUNCTION_WORDS["en"] - _LOOK_ENGLISH if len(word) > 1)
    for name, words in FUNCTION_WORDS.items()
    if name != "en"
}
"""Without single letters and what is an English word, too: those tell nothing."""
_SHARED = frozenset().union(*(words for name, words in FUNCTION_WORDS.items() if name != "en")) - {"i"}
_ENGLISH = FUNCTION_WORDS["en"] - _SHARED
_FOREIGN = frozenset().union(*_OWN.values())
_LETTERS: dict[Tongue, str] = {"de": "ßäöÄÖÜ", "es": "ñÑ¿¡", "pt": "ãõ", "fr": "çœèêù"}
_WORDS_PER_FUNCTION_WORD = 12
"""A stray foreign word in a long list of names tells nothing."""
_KANA_OR_HAN = re.compile(r"[\u3041-\u9fff]")
_LETTER = re.compile(f"[{''.join(_LETTERS.values())}]")


def tongue_of(words: Sequence[str], text: str) -> Tongue:
    """The language most of whose own function words are among the folded words; English unless another has more.

    Letters that only one language has in the original ``text`` count as one word. One word alone, and Latin
    words among Han or kana, are read as English.
    """
    foreign = _FOREIGN.intersection(words)
    if len(words) < 2 or not (foreign or _LETTER.search(text)) or _KANA_OR_HAN.search(text):
        return "en"
    best: Tongue = "en"
    most = max(len(_ENGLISH.intersection(words)), len(words) // _WORDS_PER_FUNCTION_WORD)
    for name, own in _OWN.items():
        count = len(foreign & own) + any(letter in text for letter in _LETTERS.get(name, ()))
        if count > most:
            best, most = name, count
    return best
