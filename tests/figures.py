"""Figures of tests: what was promised, at which size it was tried, and what came out."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def figure(promise: str, size: str, result: str) -> None:
    """Prints a figure of the running test, and appends it, as a line of JSON, to the file that AIM_FIGURES names."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    sys.stdout.write(f"FIGURE {promise} | {test} | {size} | {result}\n")
    if path := os.environ.get("AIM_FIGURES"):
        told = {"promise": promise, "test": test, "size": size, "result": result}
        with Path(path).open("a", encoding="utf-8") as figures:
            figures.write(json.dumps(told, ensure_ascii=False) + "\n")
