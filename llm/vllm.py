"""A model server of our own: ``vllm serve`` as a child, looked after, on loopback, with a key that nobody else has."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2
from pydantic import SecretStr

from aim_memory.errors import ConfigurationError
from aim_memory.llm.vllm_child import HOST, PORTS, Child, free_port, is_free
from aim_memory.llm.vllm_course import Course, Patience
from aim_memory.llm.vllm_environment import VllmEnvironment, looks_like_path, model_trouble, served_name
from aim_memory.ports import Companion
from aim_memory.settings import GeneratorSettings, VllmSettings, environment_of_child

LOOK_EVERY_S = 0.1
LOOK_AT_READY_EVERY_S = 1.0
CPU_CACHE_BYTES = 2 << 30
"""Of a CPU build's cache of keys and values, unless the options or VLLM_CPU_KVCACHE_SPACE say otherwise."""
_ERROR = re.compile(r"^(?!.* WARNING ).*?(\b[A-Z]\w*(?:Error|Exception): .*)$", re.MULTILINE)
_OURS = ("--host", "--port", "--api-key", "--uds", "--model")
_COUNTERS = {
    "queried_tokens": re.compile(r"^vllm:prefix_cache_queries_total\S* (\S+)", re.MULTILINE),
    "cached_tokens": re.compile(r"^vllm:prefix_cache_hits_total\S* (\S+)", re.MULTILINE),
}


class ModelServer(Companion):
    """Starts, watches, restarts and ends ``vllm serve MODEL``.

    Args:
        model: A name of the hub, or the path of a model's folder.
        settings: Port, options and patience.
        environment: Where vLLM is installed.
        log: File that its words go to.
    """

    def __init__(self, model: str, settings: VllmSettings, environment: VllmEnvironment, log: Path) -> None:
        self.model = model
        self.name = _option(settings.options, "--served-model-name") or served_name(model)
        self._settings = settings
        self.environment = environment
        self._log = log
        self._port = settings.port or free_port(secrets.randbelow(len(PORTS)))
        self._key = secrets.token_urlsafe(32)
        self._course = Course(Patience(settings.start_timeout_s, settings.health_timeout_s, settings.rest_s))
        self._child: Child | None = None
        self._launches = 0
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._tell: Callable[[str], None] = lambda line: None
        self._http = httpx2.Client(base_url=f"http://{HOST}:{self._port}", timeout=5, trust_env=False, verify=False)

    @property
    def ready(self) -> bool:
        return self._thread is not None and self._course.state == "ready"

    def absence(self) -> str | None:
        """Why it cannot be asked now; None when it can."""
        why = self._course.trouble or "not ready yet"
        return None if self.ready else f"the model {self.name} is {self._course.state}: {why}."

    def access(self, settings: GeneratorSettings) -> GeneratorSettings:
        """How it is asked while it is ready. Address and key stay the same over restarts."""
        where = {"url": f"http://{HOST}:{self._port}/v1", "api_key": SecretStr(self._key)}
        return settings.model_copy(update={"kind": "openai", "model": self.name, **where})

    def model_trouble(self) -> str | None:
        """Why the model's folder cannot be served; None if it can, or may: it is a name of the hub."""
        return model_trouble(self.model)

    def port_trouble(self) -> str | None:
        """Why it could not listen now; None if it could."""
        free = self._thread is not None or is_free(self._port)
        return None if free else f"port {self._port} of {HOST} is taken (AIM_VLLM__PORT; 0 finds a free one)"

    def start(self, tell: Callable[[str], None]) -> None:
        """Raises ConfigurationError when it could never become ready: no vLLM, no such model, a port that is taken."""
        self.environment.check()
        if trouble := self.model_trouble() or self.port_trouble():
            raise ConfigurationError(f"{self.model} cannot be served: {trouble}.")
        if taken := [option for option in self._settings.options if option.partition("=")[0] in _OURS]:
            raise ConfigurationError(f"{', '.join(taken)}: the address and the key of the model server are set by us.")
        self._tell = tell
        self._thread = threading.Thread(target=self._watch, name="aim-model-server", daemon=True)
        self._thread.start()

    def state(self) -> Mapping[str, Any]:
        course = self._course
        shown = {
            "state": "stopped" if self._thread is None else course.state,
            "model": self.name,
            "port": self._port,
            "pid": self._child.pid if self._child else None,
            "restarts": max(0, self._launches - 1),
            "log": str(self._log),
        }
        if course.trouble:
            shown["trouble"] = course.trouble
        return {**shown, "prefix_cache": self._prefix_cache()} if self.ready else shown

    def close(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._http.close()

    # What its thread does

    def _watch(self) -> None:
        try:
            while not self._over.is_set():
                self._look()
                self._over.wait(LOOK_AT_READY_EVERY_S if self.ready else LOOK_EVERY_S)
        finally:
            if self._child is not None:
                self._child.stop(at_once=not self.ready)  # while it loads it does not listen, and has nothing to finish

    def _look(self) -> None:
        before, child = self._course.state, self._child
        code = child.exit_code() if child else None
        healthy = child is not None and code is None and self._healthy()
        step = self._course.look(time.monotonic(), code, healthy)
        if step == "kill" and child is not None:
            child.stop(at_once=True)
        if step == "launch":
            self._launch()
        elif self._course.state != before:
            self._announce()

    def _launch(self) -> None:
        """Begins a run; that it cannot be begun now is a failure like others, and may pass."""
        self._child, now = None, time.monotonic()
        try:
            if not is_free(self._port):
                raise OSError(f"port {self._port} is taken")
            self._child = self._begun()
        except OSError as failure:
            self._course.failed(now, str(failure))
        else:
            self._launches += 1
            self._course.launched(now)
        self._announce()

    def _begun(self) -> Child:
        own = self._settings
        command, surroundings = self._command(), self._surroundings()
        return Child(command, surroundings, self._log, log_bytes=own.log_bytes, stop_timeout_s=own.stop_timeout_s)

    def _healthy(self) -> bool:
        try:
            return self._http.get("/health").status_code == 200
        except httpx2.HTTPError:
            return False

    def _announce(self) -> None:
        match self._course.state:
            case "starting":
                how = f"is starting; until it is ready, answers are quotes. Its log: {self._log}"
            case "ready":
                how = f"is ready at http://{HOST}:{self._port}/v1"
            case "resting":
                rest = max(0.0, self._course.until - time.monotonic())
                how = f"is down: {self._course.trouble}. {last_words(self._log)}Next try in {rest:.0f} s."
        self._tell(f"Model {self.name} {how}")

    def _command(self) -> Sequence[str]:
        model = str(Path(self.model).expanduser()) if looks_like_path(self.model) else self.model
        ours = ["--host", HOST, "--port", str(self._port), "--served-model-name", self.name]
        ours.append("--enable-prompt-tokens-details")  # how much of a prompt its cache held
        if self.environment.on_cpu:  # where it would take nine tenths of the machine's memory
            ours += ["--kv-cache-memory-bytes", str(CPU_CACHE_BYTES)]
        return [str(self.environment.program), "serve", model, *ours, *self._settings.options]  # the last one counts

    def _surroundings(self) -> Mapping[str, str]:
        """The key is not among the arguments, where everybody on this machine could read it."""
        quiet = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "PYTHONUNBUFFERED": "1"}
        offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"} if looks_like_path(self.model) else {}
        own = environment_of_child(VLLM_API_KEY=self._key, **quiet, **offline)
        return {**own, "PATH": f"{self.environment.folder / 'bin'}:{own.get('PATH', '')}"}

    def _prefix_cache(self) -> Mapping[str, int]:
        """How many prompt tokens were looked up in its cache, and how many were found, since it started."""
        try:
            page = self._http.get("/metrics", timeout=1).text
        except httpx2.HTTPError:
            return {}
        return {name: round(sum(map(float, pattern.findall(page)))) for name, pattern in _COUNTERS.items()}


def last_words(log: Path) -> str:
    """The last line of a log that names an error, as Python ends a traceback; empty without one."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 65536))
            said = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    errors = _ERROR.findall(said)
    return f"{errors[-1][:300]} " if errors else ""


def _option(options: Sequence[str], name: str) -> str | None:
    """The value of an option given as ``--name value`` or ``--name=value``."""
    return next(_values(options, name), None)


def _values(options: Sequence[str], name: str) -> Iterator[str]:
    for place, option in enumerate(options):
        if option == name and place + 1 < len(options):
            yield options[place + 1]
        elif option.startswith(f"{name}="):
            yield option.partition("=")[2]
