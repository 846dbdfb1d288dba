"""Text analysis per script: folding, terms, sentences, questions and the names of participants. Pure and fast."""

from aim_memory.text.concepts import NOTION, meanings, notions
from aim_memory.text.fold import fold
from aim_memory.text.marks import index_terms, question_terms
from aim_memory.text.names import cut_names, named, participants
from aim_memory.text.questions import about_past, is_question, refers_back
from aim_memory.text.script import Script, script
from aim_memory.text.sentences import sentences
from aim_memory.text.terms import STOP_WORDS, analyse, tokens

__all__ = [
    "NOTION",
    "STOP_WORDS",
    "Script",
    "about_past",
    "analyse",
    "cut_names",
    "fold",
    "index_terms",
    "is_question",
    "meanings",
    "named",
    "notions",
    "participants",
    "question_terms",
    "refers_back",
    "script",
    "sentences",
    "tokens",
]
