"""What is known of a memory before its content is compared: who said it, and whether it says or asks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aim_memory.config import AIMConfig
from aim_memory.ports import IndexReader
from aim_memory.routing.plan import Plan
from aim_memory.routing.roles import where
from aim_memory.routing.standing import Standing
from aim_memory.routing.values import Scores


def priors(plan: Plan, index: IndexReader, standing: Standing, config: AIMConfig) -> Mapping[str, Scores]:
    """Named parts, each (rows,); none that is 0 for all."""
    parts = {}
    if plan.named:
        parts["speaker"] = np.float32(config.speaker_bonus) * where(index, "speaker", plan.named.__contains__)
    if standing.restating is not None:
        parts["assistant"] = np.float32(-config.assistant_penalty) * standing.restating
    if standing.asking is not None:
        parts["asks"] = np.float32(-config.question_penalty) * standing.asking
    return parts
