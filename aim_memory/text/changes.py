"""Does a text speak of a change: what is new, moved, raised, replaced? English and Chinese."""

from __future__ import annotations

import re

_CHANGE = re.compile(
    r"\b(?:now|news?|move[ds]?|rescheduled|postponed|pushed|shifted|change[ds]?|switched|instead|no longer|"
    r"any ?(?:more|longer)|increased?|raised|lowered|reduced|up to|down to|extended|upgraded|updated?|replaced|"
    r"cancel\w*|after all|from now on|recently|latest|already|turned|so far|by now|rather than|took over|takes over|"
    r"grown|growing|join(?:ed)? us)\b"
    r"|现在|現在|如今|目前|改|换|換|涨|漲|降|升|挪|推迟|推遲|延|提前|加到|到了|不再|重新|更新|[调調]整",
    re.IGNORECASE,
)


def tells_change(text: str) -> bool:
    """True when a text says that something is not, or no longer, as it was: "moved to", "from now on", 改到."""
    return bool(_CHANGE.search(text))
