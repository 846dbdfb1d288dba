"""The HTTP SDK: ``Client`` and ``AsyncClient``. It sends your requests and nothing else: no telemetry.

Verbs are written once, in ``calls``; ``sync`` and ``aio`` only send them; ``replies`` reads what comes back, ``raw``
shows it as it came.
"""

from aim_memory.client.aio import AsyncClient
from aim_memory.client.sync import Client

__all__ = ["AsyncClient", "Client"]
