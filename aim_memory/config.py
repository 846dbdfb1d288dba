"""The numbers of the four mechanisms, in one frozen tree.

``AIMConfig()`` holds the product's defaults, chosen by measurement (docs/design/). ``AIMConfig.reference()`` holds the
numbers the method was first described with; tests check the described arithmetic against them.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class AIMConfig(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    # Base ranking
    fusion: Literal["fitted", "plain"] | tuple[tuple[str, float], ...] = Field(
        "fitted", description="Weights of the score's parts: the fitted ones, plain ones, or by name."
    )
    lexical_weight: float = Field(0.35, ge=0, le=1, description="Share of words, against meaning, in the base score.")
    lexical_weight_blind: float = Field(0.75, ge=0, le=1, description="The same in a script the embedder cannot read.")
    notion_weight: float = Field(
        0.75, ge=0, description="Weight of notions shared without a shared word, less among long memories; 0 = off."
    )
    late_weight: float = Field(0.8, ge=0, description="For token matches between question and memory; 0 = off.")
    neighbour_weight: float = Field(0.4, ge=0, le=1, description="How much neighbouring turns speak for one; 0 = off.")
    reply_share: float = Field(1.0, ge=0, description="What a reply takes of the question before it; 0 = off.")
    speaker_bonus: float = Field(1.0, ge=0, description="For what a participant named in the question said.")
    assistant_penalty: float = Field(0.3, ge=0, description="For the assistant's turns, growing with their length.")
    question_penalty: float = Field(0.6, ge=0, description="For memories that only ask.")
    time_weight: float = Field(2.0, ge=0, description="For what happened or was said at a time asked about; 0 = off.")
    each_question: bool = Field(True, description="Hear each question of a text that asks several by itself, too.")

    # Inertial routing
    hot_window_size: int = Field(256, ge=1, description="Newest memories that are always candidates.")
    local_cluster_k: int = Field(32, ge=1, description="Candidates that the direction may bring in.")
    inertia_strength: float = Field(0.5, ge=0, description="λ in d = q + λ·v; 0 switches inertia off.")
    inertia_momentum: float = Field(0.5, ge=0, lt=1, description="μ in v ← μ·v + (1−μ)·q.")
    left_spin: float = Field(0.0, ge=0, description="α of the left-spin gate on inertia at sharp turns; 0 = off.")
    lexical_inertia: float = Field(
        0.8, ge=0, le=1, description="Weight of the last turn's words, squared for the one before, ...; 0 = off."
    )

    # Temporal mirror
    weight_decay_gamma: float = Field(
        0.995, gt=0, le=1, description="γ: weight lost per competing write; 1 = no decay."
    )
    decay_floor: float = Field(0.5, ge=0, le=1, description="No weight falls below this.")
    decay_scope: Literal["competing", "all"] = Field("competing", description="Which later writes age a memory.")
    decay_strength: float = Field(0.02, ge=0, description="Weight of decay in the score: it reorders near-ties only.")
    supersession: bool = True
    version_lift: float = Field(
        1.5, ge=0, description="How far a later version may lie behind an earlier one and still go first; 0 = off."
    )

    # Anchored correction
    anchor_threshold: float = Field(0.0, ge=0, description="Anchor overlap below this counts as none.")
    anchor_boost: float = Field(0.3, ge=0, description="η: weight of the anchor score; 0 switches it off.")

    # What becomes a memory
    write_threshold: float = Field(0.0, ge=0, le=1, description="Least gate value of a memory; 0 accepts every write.")

    # Evidence refill
    context_tokens: int = Field(1000, ge=1, description="Budget of the context when the request names none.")
    refill: bool = Field(True, description="Bring originals back when exactness is asked; off, summaries only.")

    @classmethod
    def reference(cls) -> AIMConfig:
        """The numbers of the original description."""
        return cls(
            fusion="plain",
            notion_weight=0.0,
            late_weight=0.0,
            time_weight=0.0,
            each_question=False,
            hot_window_size=256,
            local_cluster_k=32,
            inertia_strength=0.5,
            inertia_momentum=0.85,
            left_spin=0.5,
            lexical_inertia=0.0,
            weight_decay_gamma=0.8,
            decay_floor=0.0,
            decay_scope="all",
            decay_strength=1.0,
            version_lift=0.0,
            anchor_threshold=0.1,
            anchor_boost=2.0,
            write_threshold=0.6,
        )
