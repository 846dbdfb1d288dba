"""The HTTP server: FastAPI over the engine.

The bodies build their validators when first used, which suits a client that needs two of them. A server needs them
all, and FastAPI reads them when a route is declared, so they are built here, before any route.
"""

from pydantic import BaseModel

from aim_memory.bodies import Body, Reply


def _build(model: type[BaseModel]) -> None:
    model.model_config["defer_build"] = False
    for child in model.__subclasses__():
        _build(child)
    model.model_rebuild(force=True)


for _root in (Body, Reply):
    _build(_root)
