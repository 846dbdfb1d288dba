"""What a chatbot says, in one place."""

from __future__ import annotations

from collections.abc import Sequence

from aim_memory.bodies import AnswerReply, Hit
from aim_memory.chatbots.personal import Kept, handle

TERMS = "I agreed that this bot keeps what I write where it is a member, to answer me from it."
NOTICE = (
    "I remember what you tell me and answer from it. Nothing of yours is kept yet. If you say /agree, I keep what you "
    "write to me and in the rooms where I am a member: the text, the time and your name here; keys, passwords and card "
    "numbers are taken out. Only you are answered from it, in a shared room only from what you said in that room. "
    "/mydata shows each memory as it is now, /forget everything erases all."
)
AGREED = "Thank you. From now on I keep what you write to me. /mydata shows it, /forget everything erases it."
HELP = (
    "/remember TEXT keeps a text. /ask QUESTION answers from what you told me. /forget WORDS shows what matches, "
    "/forget #NAME erases it, /forget everything erases all of it. /mydata shows each memory of you as it is now. "
    "/agree lets me keep things."
)
NOTED = "Noted."
NOTHING_TO_REMEMBER = "Say what to remember: /remember My dentist is Dr. Okafor."
NOTHING_TO_ASK = "Say what to answer: /ask Who is my dentist?"
NOTHING_TO_FORGET = "Say what to forget: /forget dentist, or /forget everything."
NOTHING_KEPT = "I keep nothing about you."
NOTHING_MATCHES = "Nothing that I keep matches that."
NO_SUCH_NAME = "I keep nothing by that name. /forget WORDS shows what matches."
ONLY_IN_PRIVATE = "Ask me that in a private chat: others read along here."
FAILED = "I cannot reach my memory at the moment, so this was not kept. Please say it again later."
ASK_FAILED = "I cannot reach my memory at the moment. Please ask again later."
UNKNOWN = "I do not know that command. " + HELP


def noted(kept: Kept) -> str:
    """The acknowledgement of a statement."""
    if kept.status == "refused":
        return f"I could not keep that: {kept.reason}"
    return " ".join(filter(None, (NOTED, left_out(kept))))


def left_out(kept: Kept) -> str:
    """Which secrets were taken out of what was kept; "" if none."""
    return f"I left out what looks like a secret ({', '.join(kept.removed)})." if kept.removed else ""


def answered(reply: AnswerReply) -> str:
    """An answer, and when what it rests on was said."""
    times = {hit.id: hit.timestamp for hit in reply.results}
    days = sorted({times[cited.memory_id].date() for cited in reply.citations if cited.memory_id in times})
    if reply.abstained or not days:
        return reply.answer
    return f"{reply.answer}\n(You said this on {', '.join(map(str, days))}.)"


def matches(hits: Sequence[Hit]) -> str:
    lines = [f"#{handle(hit.id)} ({hit.timestamp.date()}): {_clipped(hit.text)}" for hit in hits]
    return "\n".join(["This is what matches. Erase one with /forget #NAME:", *lines])


def forgotten(count: int) -> str:
    return NOTHING_KEPT if count == 0 else "Erased: everything that I kept about you, your consent too."


def my_data(count: int) -> str:
    return f"All that I keep about you: {count} {'memory' if count == 1 else 'memories'}."


def _clipped(text: str, most: int = 200) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
