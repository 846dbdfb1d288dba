"""The bodies that cross the public door. REST, the SDK, the CLI and embedded use share them.

Unknown fields are errors that name them. Sizes are checked against the configured limits by the engine
(``aim_memory.ingest.limits``), so embedded use and REST refuse alike. Datetimes are ISO 8601; naive ones are UTC.
Validators are built on first use: a client that needs three of these bodies does not wait for forty.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    field_validator,
    model_validator,
)

Mode = Literal["fast", "strict", "auto"]
"""As in ``aim_memory.types``; repeated, so that the SDK need not load numpy. A test holds them equal."""


def _utc(moment: datetime) -> datetime:
    if not 1000 <= moment.year <= 9000:  # days are added and taken away from it; the calendar ends at both ends
        raise ValueError("the year must be from 1000 to 9000")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _no_number(moment: Any) -> Any:
    """Seconds since 1970 are not guessed at: 20260302 would be a day of that year."""
    try:
        float(moment)
    except (TypeError, ValueError):
        return moment
    except OverflowError:
        pass
    raise ValueError("give an ISO 8601 time, such as 2026-03-02T09:15:00Z")


Moment = Annotated[datetime, BeforeValidator(_no_number), AfterValidator(_utc)]
"""A datetime; naive means UTC."""
Filter = dict[str, Any]
"""{"and"|"or": [filter, ...]} | {"not": filter} | {field: {operator: value}}; parsed by ``aim_memory.filters``."""


class Body(BaseModel):
    # NaN stays NaN when a body is written out, to be refused there, rather than become null unnoticed.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, ser_json_inf_nan="constants")


class Reply(BaseModel):
    """Replies tolerate unknown fields, so that an older client can read a newer server."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


# --- write ---------------------------------------------------------------------------------------------------------


class MemoryItem(Body):
    """One memory to write."""

    text: str
    id: str | None = Field(None, description="Your id, unique in the namespace; ours is a UUIDv7.")
    session_id: str | None = None
    speaker: str | None = None
    role: str | None = None
    timestamp: Moment | None = Field(None, description="When it was said; now if left out.")
    metadata: dict[str, Any] = Field(default_factory=dict)
    pinned: StrictBool = False
    expires_at: Moment | None = None
    source: str | None = None


class MessageItem(Body):
    """One chat message to remember."""

    role: str
    content: str
    name: str | None = None
    timestamp: Moment | None = None


class WriteRequest(Body):
    """Exactly one of ``memories``, ``messages`` and ``text``."""

    namespace: str
    session_id: str | None = Field(None, description="Session of the items that name none.")
    memories: list[MemoryItem] | None = None
    messages: list[MessageItem] | None = None
    text: str | None = None

    @model_validator(mode="after")
    def _one_form(self) -> WriteRequest:
        if sum(form is not None for form in (self.memories, self.messages, self.text)) != 1:
            raise ValueError("give exactly one of 'memories', 'messages' and 'text'")
        return self


class WriteResult(Reply):
    id: str
    status: Literal["created", "unchanged", "rejected"]
    reason: str | None = None
    supersedes: list[str] = Field(default_factory=list)
    indexing: Literal["ready", "pending"] = "ready"
    warnings: list[str] = Field(default_factory=list)


class WriteReply(Reply):
    results: list[WriteResult]
    seq: int
    replayed: bool = Field(False, exclude=True, description="Not in the body, which is the same each time.")


class UpdateRequest(Body):
    """Fields left out stay as they are."""

    text: str | None = None
    metadata: dict[str, Any] | None = None
    pinned: StrictBool | None = None
    expires_at: Moment | None = None
    timestamp: Moment | None = None


# --- read ----------------------------------------------------------------------------------------------------------


class AnchorView(Reply):
    kind: str
    text: str
    key: str
    start: int
    end: int


class MemoryView(Reply):
    id: str
    namespace: str
    text: str
    summary: str
    session_id: str | None
    speaker: str | None
    role: str | None
    timestamp: datetime
    created_at: datetime
    updated_at: datetime
    metadata: dict[str, Any]
    pinned: bool
    expires_at: datetime | None
    source: str | None
    trust: str
    derived_from: list[str] = Field(default_factory=list, description="What a model made it of, and what it goes with.")
    version: int
    current: bool
    valid_from: datetime
    valid_until: datetime | None
    superseded_by: str | None
    anchors: list[AnchorView]
    indexing: Literal["ready", "pending"]
    weight: float | None = Field(None, description="What is left of its temporal weight, up to 1; told in lists.")


class MemoryPage(Reply):
    items: list[MemoryView]
    next_cursor: str | None = None


class VersionView(Reply):
    version: int
    kind: str
    at: datetime
    text: str
    by: str | None = None


class HistoryReply(Reply):
    id: str
    versions: list[VersionView]


class EvidenceReply(Reply):
    id: str
    original: str
    start: int
    end: int


class DeleteReply(Reply):
    deleted: int


# --- query ---------------------------------------------------------------------------------------------------------


class QueryRequest(Body):
    namespace: str
    query: str
    top_k: int = Field(10, ge=1)
    session_id: str | None = Field(None, description="The conversation the question belongs to; none, no inertia.")
    mode: Mode = "auto"
    filters: Filter | None = None
    threshold: float | None = Field(None, description="Least score of a result.")
    as_of: Moment | None = Field(None, description="Valid time: what was true then.")
    known_at: Moment | None = Field(None, description="Transaction time: what we had been told by then.")
    reference_date: Moment | None = Field(None, description="What 'today' means in the question; now if left out.")
    max_tokens: int | None = Field(None, ge=1, le=1_000_000, description="Budget of the context.")
    explain: StrictBool = False


class AnchorReport(Reply):
    matched: list[str] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list)
    conflicting: list[str] = Field(default_factory=list)


class Hit(Reply):
    id: str
    text: str
    summary: str
    score: float
    timestamp: datetime
    speaker: str | None
    role: str | None
    session_id: str | None
    metadata: dict[str, Any] = Field(default_factory=dict)
    current: bool
    superseded_by: str | None = None
    derived_from: list[str] | None = Field(None, description="The memories that a model made it of, if one did.")
    scores: dict[str, float] | None = None
    anchors: AnchorReport | None = None


class EvidencePiece(Reply):
    memory_id: str
    text: str
    start: int
    end: int


class Coverage(Reply):
    anchors: list[str] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list)


class Tokens(Reply):
    context: int
    full_text: int


class Work(Reply):
    scanned: int
    stored: int


class Suppressed(Reply):
    """A memory that decay pushed down: where it would have stood without it."""

    id: str
    rank: int
    rank_without_decay: int
    weight: float


class QueryReply(Reply):
    results: list[Hit]
    mode: Literal["fast", "strict"]
    context: str
    evidence: list[EvidencePiece]
    coverage: Coverage
    confidence: float
    suppressed: list[Suppressed] | None = None
    tokens: Tokens
    work: Work
    timings_ms: dict[str, float]
    degraded: bool = False
    explanation: dict[str, Any] | None = None


# --- answer --------------------------------------------------------------------------------------------------------


class AnswerRequest(QueryRequest):
    stream: StrictBool = False
    remember: StrictBool = Field(False, description="Write the question and the answer back as memories.")
    generator: str | None = None
    response_format: dict[str, Any] | None = Field(
        None, description="Asks for JSON, as OpenAI's API does: a type of json_schema or json_object. Takes a model."
    )

    @field_validator("response_format")
    @classmethod
    def _shape(cls, given: dict[str, Any] | None) -> dict[str, Any] | None:
        if given is None or given.get("type") == "text":
            return None
        if given.get("type") not in ("json_schema", "json_object"):
            raise ValueError("type must be json_schema, json_object or text")
        if given["type"] == "json_schema" and not isinstance(given.get("json_schema"), dict):
            raise ValueError("a json_schema is missing: {'name': ..., 'schema': {...}}")
        return given


class Citation(Reply):
    """``quote`` is ``memory.text[start:end]`` of the memory named."""

    memory_id: str
    quote: str
    start: int
    end: int


class Verification(Reply):
    supported: list[str] = Field(default_factory=list)
    unsupported: list[str] = Field(default_factory=list)


class SentenceVerification(Verification):
    """Of one sentence of a stream: ``answer[start:end]``."""

    start: int
    end: int


class UsageView(Reply):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class AnswerReply(Reply):
    answer: str
    citations: list[Citation]
    verification: Verification
    abstained: bool
    parsed: Any = Field(None, description="The answer's JSON value, where `response_format` asked for one.")
    degraded: bool
    reason: str | None = Field(None, description="Why it is degraded, where the generator is the reason.")
    mode: Literal["fast", "strict"]
    results: list[Hit]
    context: str
    confidence: float
    tokens: Tokens
    usage: UsageView
    timings_ms: dict[str, float]
    generator: str


class AnswerEvent(Reply):
    """One event of a streamed answer: context · delta · citation · verification · done · error."""

    event: Literal["context", "delta", "citation", "verification", "done", "error"]
    body: dict[str, Any]


# --- the rest ------------------------------------------------------------------------------------------------------


class SessionView(Reply):
    id: str
    namespace: str
    turns: int
    recent: list[str]
    inertia: float = Field(description="Length of the direction: 0 at rest, towards 1 on a steady course.")
    updated_at: datetime | None


class SessionPage(Reply):
    items: list[SessionView]


class ResetReply(Reply):
    reset: bool = Field(description="Whether the session had a course; it is at rest now in any case.")


class NamespaceView(Reply):
    namespace: str
    memories: int
    seq: int
    epoch: int


class NamespacePage(Reply):
    items: list[NamespaceView]
    next_cursor: str | None = None


class EraseReceipt(Reply):
    namespace: str
    erased: dict[str, int]
    erased_at: datetime
    statement: str
    by: str | None = Field(None, description="The name of the key that asked for it.")
    target: str = Field("", description="What the audit log calls it, which keeps no names of what was erased.")
    retention: dict[str, str] = Field(default_factory=dict, description="How long copies made before may last.")
    sha256: str = Field("", description="Of this receipt without this field, as JSON with sorted names.")


class Rating(Body):
    memory_id: str
    value: Literal[1, -1]


class FeedbackRequest(Body):
    namespace: str
    ratings: list[Rating] = Field(min_length=1)


class FeedbackReply(Reply):
    accepted: int


# --- administration ------------------------------------------------------------------------------------------------


class BackedUpFile(Body):
    bytes: int
    sha256: str


class BackedUpTable(Body):
    rows: int
    sha256: str = Field(description="The sum of the SHA-256 of all rows, whatever their order.")


class BackedUpNamespace(Body):
    tenant: str
    namespace: str
    epoch: int
    seq: int
    ordinal: int
    memories: int


class BackupManifest(Body):
    """What is in a backup: `manifest.json` beside the rows."""

    format: Literal[1] = 1
    made_by: str = Field(description="The version of AIM-Memory.")
    database: str = Field(description="Where the rows came from: sqlite or postgresql.")
    revision: str = Field(description="Of the schema.")
    created_at: Moment
    files: dict[str, BackedUpFile]
    tables: dict[str, BackedUpTable]
    namespaces: list[BackedUpNamespace]
    generations: dict[str, int] = Field(description="Memories by the embedder generation of their vectors.")
    sha256: str = Field("", description="Of this manifest without this field.")


class Flaw(Body):
    """Something that is not as it must be, where, and what to do about it."""

    code: str
    table: str
    where: str
    found: str
    remedy: str


class VerifyReply(Reply):
    sound: bool
    checked: dict[str, int] = Field(description="Rows looked at, by table.")
    flaws: list[Flaw]


class StatsReply(Reply):
    """Rows of a tenant, or of one of its namespaces, by kind."""

    tenant: str
    namespace: str | None = None
    namespaces: int
    rows: dict[str, int]


class KeyRequest(Body):
    name: str
    role: Literal["auditor", "reader", "writer", "admin", "operator"] = "writer"
    tenant: str | None = Field(None, description="Another tenant than the key's own; takes an operator.")
    expires_at: Moment | None = None


class KeyView(Reply):
    id: str
    tenant: str
    name: str
    role: str
    created_at: datetime
    revoked_at: datetime | None = None
    expires_at: datetime | None = None


class IssuedKeyView(KeyView):
    key: str = Field(description="Shown now and never again.")


class KeyPage(Reply):
    items: list[KeyView]


class AuditView(Reply):
    id: int
    at: datetime
    tenant: str
    key_id: str
    name: str
    action: str
    target: str | None
    outcome: str


class AuditPage(Reply):
    items: list[AuditView]
    next_before: int | None = Field(None, description="`before` of the next page.")


class ReindexRequest(Body):
    to: str | None = Field(None, description="Another embedder: a hub name, openai:MODEL, hashing; or none.")
    prune: StrictBool = Field(False, description="Drop the vectors of all embedders but the one in use, instead.")


class RollbackRequest(Body):
    dry_run: StrictBool = Field(False, description="Say what would be in use, and change nothing.")


class EmbedderOutlook(Reply):
    generation: str = Field(description="The embedder that this is about: model, revision and dimension.")
    waiting: int = Field(description="Memories that have no vectors of it.")
    prunable: int = Field(description="Memories that have vectors of others beside.")
    former: str | None = Field(None, description="After going back: the embedder that was in use.")


class ExtractRequest(Body):
    """What a language model is to make of memories."""

    namespace: str
    what: Literal["facts", "summaries", "profile"] = "facts"
    session_id: str | None = Field(None, description="Of summaries: of this conversation alone.")


class ExtractPreviewRequest(ExtractRequest):
    limit: int = Field(1, ge=1, le=20, description="Stretches of conversation to read; the model is asked for each.")


class DerivedView(Reply):
    text: str
    sources: list[str] = Field(description="The memories that it rests on.")
    reason: str | None = Field(None, description="Why it would not be kept.")


class ExtractPreview(Reply):
    """What extraction would keep and refuse. Nothing is written."""

    waiting: int = Field(description="Memories that were not read for facts yet.")
    read: int = Field(description="Memories read for this preview.")
    items: list[DerivedView]
    refused: list[DerivedView]
    unreadable: list[str] = Field(description="What was wrong with answers that could not be read, twice.")
    usage: UsageView


class JobView(Reply):
    id: str
    kind: str
    state: str
    tenant: str | None
    done: int
    total: int | None
    attempts: int
    arguments: dict[str, Any]
    result: Any = None
    error: str | None = None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None


class JobPage(Reply):
    items: list[JobView]


class ImportProblem(Reply):
    line: int
    reason: str


class ImportReply(Reply):
    created: int
    unchanged: int
    rejected: int
    problems: list[ImportProblem] = Field(description="The first thousand lines that were left out, and why.")
