"""Text analysis per script: folding, terms, sentences, questions and the names of participants. Pure and fast."""

from aim_memory.text.changes import tells_change
from aim_memory.text.concepts import NOTION, meanings, notions
from aim_memory.text.fold import fold
from aim_memory.text.marks import index_terms, question_terms
from aim_memory.text.names import PEOPLE, cut_names, named, participants
from aim_memory.text.questions import about_past, asks_when, is_question, questions, refers_back
from aim_memory.text.script import Script, script
from aim_memory.text.sentences import sentences
from aim_memory.text.terms import STOP_WORDS, analyse, tokens, tongue
from aim_memory.text.tongues import Tongue
from aim_memory.text.wanted import Wanted, about_now, wanted

__all__ = [
    "NOTION",
    "PEOPLE",
    "STOP_WORDS",
    "Script",
    "Tongue",
    "Wanted",
    "about_now",
    "about_past",
    "analyse",
    "asks_when",
    "cut_names",
    "fold",
    "index_terms",
    "is_question",
    "meanings",
    "named",
    "notions",
    "participants",
    "question_terms",
    "questions",
    "refers_back",
    "script",
    "sentences",
    "tells_change",
    "tokens",
    "tongue",
    "wanted",
]
