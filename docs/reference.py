"""Writes the reference: docs/rest.md from the server's OpenAPI document, docs/sdk.md from signatures and docstrings,
docs/settings.md from the settings.

    python docs/reference.py

A test runs this again and compares, so no page says what the code does not.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aim_memory import AIMConfig, AIMMemory, AsyncClient, Client
from aim_memory.api.app import create_app
from aim_memory.client.admin import Admin
from aim_memory.settings import Settings

DOCS = Path(__file__).parent
Schema = Mapping[str, Any]
REST = """# The REST API

Every route, from the server's own OpenAPI document: `/openapi.json`, and `/docs` to try them. Replies carry
`x-request-id`; every failure is a problem with a [`code`](errors/README.md). Real calls are in
[the API, by hand](transcript.md). Written by `python docs/reference.py`.
"""
SDK = """# The Python SDK

`Client` talks to a server, `AIMMemory` is the whole service in the process, `AsyncClient` is `Client` awaited: the same
verbs, arguments and replies. Replies are pydantic models, whose fields are those of [the REST API](rest.md#bodies).
What goes wrong is an exception of `aim_memory`, each with a [`code`](errors/README.md). Written by
`python docs/reference.py`.
"""

SETTINGS = """# Settings

Everything is a variable of the environment; what is left out has its default. Below a section, a name that does not
exist is an error at the start. `aimem doctor` reads them all and says what is wrong. Lists are written as JSON. Written
by `python docs/reference.py`.
"""


def main() -> None:
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
        print(f"wrote {DOCS / name}")


def pages() -> dict[str, str]:
    return {"rest.md": _rest(), "sdk.md": _sdk(), "settings.md": _settings()}


# --- REST ------------------------------------------------------------------------------------------------------------


def _rest() -> str:
    document = create_app(Settings()).openapi()
    routes = [
        _route(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = document["components"]["schemas"]
    bodies = [_body(name, schemas[name]) for name in sorted(schemas) if "properties" in schemas[name]]
    return "\n\n".join([REST.strip(), *routes, "## Bodies", *bodies]) + "\n"


def _route(method: str, path: str, operation: Schema) -> str:
    parts = [f"## `{method.upper()} {path}`", _sentence(operation)]
    if parameters := operation.get("parameters"):
        parts.append(_table([(one["name"], one["schema"], one.get("required", False), one) for one in parameters]))
    if sent := operation.get("requestBody"):
        parts.append(f"Takes {_contents(sent['content'])}.")
    parts.append(f"Replies with {_contents(operation['responses']['200'].get('content', {}))}.")
    failures = sorted(status for status in operation["responses"] if status >= "400")
    if failures:
        parts.append(f"Failures: {', '.join(failures)}.")
    return "\n\n".join(parts)


def _sentence(operation: Schema) -> str:
    return str(operation.get("description") or operation.get("summary") or "").strip()


def _contents(contents: Schema) -> str:
    return " or ".join(_content(kind, content) for kind, content in contents.items()) or "no body"


def _content(kind: str, content: Schema) -> str:
    schema = content.get("schema", {})
    named = _type(schema) if schema.get("$ref") or schema.get("anyOf") else ""
    return named if kind == "application/json" and named else f"{named} (`{kind}`)".strip()


def _body(name: str, schema: Schema) -> str:
    required = schema.get("required", ())
    rows = [(field, inner, field in required, inner) for field, inner in schema["properties"].items()]
    about = str(schema.get("description", "")).strip()
    return "\n\n".join(part for part in (f"### {name}", about, _table(rows)) if part)


def _table(rows: list[tuple[str, Schema, bool, Schema]]) -> str:
    lines = [
        f"| `{name}`{'' if required else ' ?'} | {_type(schema)} | {_about(schema, holder)} |"
        for name, schema, required, holder in rows
    ]
    return "\n".join(["| field (? may be left out) | is | |", "|---|---|---|", *lines])


def _type(schema: Schema) -> str:
    if reference := schema.get("$ref"):
        name = str(reference).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(_type(option) for option in options))
    if values := schema.get("enum"):
        return ", ".join(f"`{value}`" for value in values)
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "anything")


def _about(schema: Schema, holder: Schema) -> str:
    words = str(holder.get("description") or schema.get("description") or "").replace("\n", " ").replace("|", "\\|")
    default = schema.get("default")
    told = f" Default: `{default}`." if default not in (None, {}, [], "") else ""
    return f"{words}{told}".strip()


# --- SDK -------------------------------------------------------------------------------------------------------------


def _sdk() -> str:
    parts = [SDK.strip(), _class(Client), _class(AIMMemory), _lead(AsyncClient), _class(Admin, "client.admin")]
    parts += [_lead(AIMConfig), _config()]
    return "\n\n".join(parts) + "\n"


def _class(kind: type, name: str | None = None) -> str:
    verbs = [_verb(name or kind.__name__.lower(), *member) for member in _members(kind)]
    return "\n\n".join([_lead(kind, name), *verbs])


def _lead(kind: type, name: str | None = None) -> str:
    return f"## `{name or kind.__name__}`\n\n{_prose(kind.__doc__)}"


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    for name, member in vars(kind).items():
        if not name.startswith("_") and inspect.isfunction(member):
            yield name, member


def _verb(owner: str, name: str, function: Any) -> str:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    shown = ", ".join(_spelled(parameters))
    # The embedded twin says what a call comes to.
    twin = getattr(AIMMemory, name, function)
    returned = re.sub(r"^Call\[(.*)\]$", r"\1", str(twin.__annotations__.get("return", "None")))
    said = _prose(function.__doc__)
    return "\n\n".join(part for part in (f"### `{name}`", f"`{name}({shown}) -> {returned}`", said) if part)


def _spelled(parameters: list[inspect.Parameter]) -> Iterator[str]:
    """With the star that begins what must be named, and without types, which the REST page tells."""
    starred = False
    for one in parameters:
        if one.kind is one.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        prefix = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
        default = "" if one.default is one.empty else f"={_default(one.default)}"
        yield f"{prefix}{one.name}{default}"


def _default(value: object) -> str:
    return repr(value) if isinstance(value, str | int | float | bool | None) else "…"


def _prose(docstring: str | None) -> str:
    """A docstring as Markdown: names in single backticks, indented code in a fence of its own."""
    text = re.sub(r"``([^`]*)``", r"`\1`", inspect.cleandoc(docstring or ""))
    text = re.sub(r"(?m)^(Args|Raises|Returns):$", r"**\1**", text)
    return re.sub(r"(?m)^    (\w+)(: )(?=\S)", r"- `\1`\2", text)


def _config() -> str:
    fields = AIMConfig.model_fields.items()
    lines = [f"| `{name}` | `{field.default}` | {field.description or ''} |" for name, field in fields]
    return "\n".join(["| number | default | |", "|---|---|---|", *lines])


# --- settings --------------------------------------------------------------------------------------------------------


def _settings() -> str:
    prefix = str(Settings.model_config["env_prefix"])
    own = [(name, field) for name, field in Settings.model_fields.items() if _section(field) is None]
    parts = [SETTINGS.strip(), _variables(prefix, own)]
    for name, field in Settings.model_fields.items():
        if (section := _section(field)) is not None:
            about = "" if section.__doc__ == BaseModel.__doc__ else inspect.cleandoc(section.__doc__ or "")
            below = f"{prefix}{name.upper()}__"
            parts += [f"## `{below}…`", *([about] if about else []), _variables(below, [*section.model_fields.items()])]
    return "\n\n".join(parts) + "\n"


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if inspect.isclass(kind) and issubclass(kind, BaseModel) else None


def _variables(prefix: str, fields: list[tuple[str, FieldInfo]]) -> str:
    rows = (
        f"| `{prefix}{name.upper()}` | {_told(field)} | {(field.description or '').replace('|', chr(92) + '|')} |"
        for name, field in fields
    )
    return "\n".join(["| variable | default | |", "|---|---|---|", *rows])


def _told(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if default is None or default in ((), {}, ""):
        return ""
    shown = str(default).replace(str(Path.home()), "~")
    return f"`{shown}`"


if __name__ == "__main__":
    main()
