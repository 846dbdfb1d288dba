"""How carefully a question wants to be answered."""

import pytest

from aim_memory.evidence import choose_mode
from tests.evidence import anchors


@pytest.mark.parametrize("requested", ["fast", "strict"])
def test_what_is_requested_is_obeyed(requested: str) -> None:
    decision = choose_mode("What exactly did the 10M model cost?", requested=requested, confidence=0.1)  # type: ignore[arg-type]
    assert decision.mode == requested
    assert decision.refill == (requested == "strict")


@pytest.mark.parametrize(
    "question",
    [
        "What exactly did I say about the 10M-token model?",
        "Quote the original message about invoice INV-2025-007, verbatim and exact.",
        "关于3200元那张发票，原话是什么？",
    ],
)
def test_exactness_about_a_value_is_strict(question: str) -> None:
    assert choose_mode(question, requested="auto", anchors=anchors(question)).mode == "strict"


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("What were her exact words?", "exact wording"),
        ("What is your source for that?", "proof"),
        ("How many jars did I fill?", "kind of question"),
        ("When do we leave?", "kind of question"),
        ("年糕多少公斤？", "kind of question"),
        ("手术改到哪天了？", "kind of question"),
        ("给我看看证据。", "proof"),
    ],
)
def test_auto_brings_originals_back_without_a_veto(question: str, reason: str) -> None:
    decision = choose_mode(question, requested="auto", anchors=anchors(question))
    assert (decision.mode, decision.refill) == ("fast", True)
    assert reason in decision.reasons


@pytest.mark.parametrize("question", ["What does Priya like?", "Which open source tools do I use?", "她喜欢什么？"])
def test_other_questions_keep_their_summaries(question: str) -> None:
    decision = choose_mode(question, requested="auto")
    assert (decision.mode, decision.refill, decision.reasons) == ("fast", False, ())


def test_conflict_and_doubt_bring_originals_back() -> None:
    assert choose_mode("What does Priya like?", requested="auto", conflict=True).reasons == ("conflict",)
    assert choose_mode("What does Priya like?", requested="auto", confidence=0.2).reasons == ("low confidence",)
