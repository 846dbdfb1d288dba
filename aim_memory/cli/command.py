"""What all commands have in common: where the memories are, ``--json``, and how errors end."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, TypeAlias

import typer

from aim_memory.cli import output
from aim_memory.errors import ConfigurationError, InvalidInputError
from aim_memory.extras import needs

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import RenderableType

    from aim_memory.client import Client
    from aim_memory.embedded import AIMMemory
    from aim_memory.settings import Settings

    Memory: TypeAlias = AIMMemory | Client

P = ParamSpec("P")
WHERE = "Where the memories are"
URL_HELP = "Server to talk to; the data folder if left out."
HOME_HELP = "Data folder; ~/.aim-memory if left out."


@dataclass(frozen=True)
class Place:
    """Where a command works: on a server, or on a data folder of this machine."""

    url: str | None
    key: str | None
    home: Path | None
    as_json: bool

    @cached_property
    def settings(self) -> Settings:
        """Options first, then the environment. Raises ConfigurationError."""
        with needs("embedded"):
            from pydantic import ValidationError

            from aim_memory.settings import Settings
        named = {"url": self.url, "api_key": self.key, "home": self.home}
        given: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
        if self.home is not None:
            given.setdefault("url", None)  # a folder that is named goes before a server of the environment
        try:
            return Settings(**given)
        except ValidationError as failure:
            raise ConfigurationError(_setting_trouble(failure.errors())) from failure

    @contextmanager
    def memory(self) -> Iterator[Memory]:
        """The memories, through the verbs that both doors share."""
        opened = self.server() if self.settings.url else self._folder()
        with opened as memory:
            yield memory

    def local(self, what: str) -> Settings:
        """The settings, for a command that only works on this machine. Raises InvalidInputError with a server."""
        if self.settings.url:
            raise InvalidInputError(f"{what} works on a data folder: run it on the server's machine, without --url.")
        return self.settings

    def show(self, reply: BaseModel | Mapping[str, Any], view: Callable[[], RenderableType]) -> None:
        """The reply as JSON, or drawn for people."""
        if not self.as_json:
            output.draw(view())
        elif isinstance(reply, Mapping):
            output.print_json(reply)
        else:
            output.print_json(reply.model_dump(mode="json"))

    def server(self) -> Client:
        """A client of the server that was named."""
        from aim_memory.client import Client

        key = self.settings.api_key
        return Client(str(self.settings.url), key.get_secret_value() if key else None)

    def _folder(self) -> AIMMemory:
        with needs("embedded"):
            from aim_memory.embedded import AIMMemory
        return AIMMemory(settings=self.settings)


def command(
    app: typer.Typer, name: str | None = None, *, example: str
) -> Callable[[Callable[Concatenate[Place, P], None]], Callable[Concatenate[Place, P], None]]:
    """Registers a function as a command. Its first parameter, the place, is made of options that every command has."""

    def register(run: Callable[Concatenate[Place, P], None]) -> Callable[Concatenate[Place, P], None]:
        def shell(**given: Any) -> None:
            place = Place(given.pop("url"), given.pop("key"), given.pop("home"), given.pop("as_json"))
            with output.reporting(as_json=place.as_json):
                run(place, **given)  # type: ignore[call-arg]

        own = list(inspect.signature(run, eval_str=True).parameters.values())[1:]
        everywhere = inspect.signature(_everywhere, eval_str=True).parameters.values()
        shell.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (*own, *everywhere)]
        )
        text = f"{inspect.getdoc(run)}\n\nExample: [bold]{example}[/bold]"
        app.command(name or run.__name__, help=text)(shell)
        return run

    return register


def _everywhere(
    url: Annotated[str | None, typer.Option(help=f"{URL_HELP} [AIM_URL]", rich_help_panel=WHERE)] = None,
    key: Annotated[str | None, typer.Option(help="Key for the server. [AIM_API_KEY]", rich_help_panel=WHERE)] = None,
    home: Annotated[Path | None, typer.Option(help=f"{HOME_HELP} [AIM_HOME]", rich_help_panel=WHERE)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the reply as JSON.")] = False,
) -> None:
    """The options that every command has."""


def _setting_trouble(problems: list[Any]) -> str:
    lines = [f"AIM_{'__'.join(map(str, problem['loc'])).upper()}: {problem['msg']}" for problem in problems]
    return "A setting is wrong. " + "; ".join(lines)
