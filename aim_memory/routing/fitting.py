"""Fits the weights of the score's parts to questions whose evidence is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]
"""One weight per part, (parts,)."""
STEPS = 30
ENOUGH = 1e-8
"""Fall of the loss below which a fit is done."""


@dataclass(frozen=True, slots=True)
class Example:
    """One question: the parts of its candidates, (n, parts), and which of them are evidence, (n,)."""

    parts: NDArray[np.float32]
    evidence: NDArray[np.bool_]


def fit(groups: Sequence[Sequence[Example]], prior: Weights, ridge: float) -> Weights:
    """The weights under which evidence is most likely drawn from a softmax over each question's candidates (listwise
    ranking, Cao et al. 2007), kept near ``prior`` by a ridge on standardised parts.

    Every group of questions counts alike, however many it has. Convex; solved by Newton's method.

    Args:
        groups: Questions without evidence among their candidates are left out.
        prior: What the weights are pulled to, (parts,).
        ridge: How strongly.
    """
    table = _Table.of(groups)
    start = prior * table.scale
    at, loss = start, table.loss(start) + 0.0
    for _ in range(STEPS):
        slope, bend = table.slopes(at)
        step = np.linalg.solve(bend + 2 * ridge * np.eye(len(at)), slope + 2 * ridge * (at - start)).astype(np.float64)
        after, less = _walk(table, at, step, start, ridge, loss)
        done, at, loss = loss - less < ENOUGH, after, less
        if done:
            break
    return np.asarray(at / table.scale)


def _walk(
    table: _Table, at: Weights, step: Weights, start: Weights, ridge: float, loss: float
) -> tuple[Weights, float]:
    """As far along a Newton step as the loss falls."""
    for halved in range(20):
        after = at - step / 2**halved
        less = table.loss(after) + ridge * float((after - start) @ (after - start))
        if less <= loss:
            return after, less
    return at, loss


@dataclass(frozen=True, slots=True)
class _Table:
    """All candidates in one array, standardised."""

    parts: NDArray[np.float64]
    """(candidates, parts)"""
    starts: NDArray[np.int64]
    """Where each question begins, (questions,)."""
    question: NDArray[np.int64]
    """Of each candidate."""
    target: NDArray[np.float64]
    """The share of its question's evidence that a candidate is, times what the question counts."""
    counts: NDArray[np.float64]
    """What each question counts; they sum to 1."""
    scale: Weights
    """Standard deviation of each part, groups counting alike."""

    @classmethod
    def of(cls, groups: Sequence[Sequence[Example]]) -> _Table:
        kept = [[one for one in group if one.evidence.any()] for group in groups]
        kept = [group for group in kept if group]
        examples = [one for group in kept for one in group]
        counts = np.concatenate([np.full(len(group), 1 / len(group) / len(kept)) for group in kept])
        sizes = np.array([len(one.evidence) for one in examples])
        parts = np.concatenate([one.parts for one in examples]).astype(np.float64)
        share = np.concatenate([one.evidence / one.evidence.sum() for one in examples])
        question = np.repeat(np.arange(len(examples)), sizes)
        each = (counts / sizes)[question]
        scale = np.maximum(np.sqrt(each @ np.square(parts - each @ parts)), 1e-6)
        starts = np.cumsum([0, *sizes[:-1]])
        return cls(parts / scale, starts, question, share * counts[question], counts, scale)

    def loss(self, at: Weights) -> float:
        return float(-(self.target * self._log_chances(at)).sum())

    def slopes(self, at: Weights) -> tuple[Weights, NDArray[np.float64]]:
        """Gradient (parts,) and Hessian (parts, parts) of the loss."""
        chances = np.exp(self._log_chances(at)) * self.counts[self.question]
        means = np.add.reduceat(chances[:, None] * self.parts, self.starts)
        bend = self.parts.T @ (chances[:, None] * self.parts) - means.T @ (means / self.counts[:, None])
        return (chances - self.target) @ self.parts, bend

    def _log_chances(self, at: Weights) -> NDArray[np.float64]:
        scores = self.parts @ at
        scores -= np.maximum.reduceat(scores, self.starts)[self.question]
        totals = np.add.reduceat(np.exp(scores), self.starts)
        return np.asarray(scores - np.log(totals)[self.question])
