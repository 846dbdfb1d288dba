"""Figures of tests: what was promised, at which size it was tried, and what came out."""

from __future__ import annotations

import json
import os
from pathlib import Path


def figure(promise: str, size: str, result: str) -> None:
    """Prints a figure of the running test, and appends it to the file that AIM_FIGURES names, one JSON object a line."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]
    print(f"FIGURE {promise} | {test} | {size} | {result}")
    if path := os.environ.get("AIM_FIGURES"):
        told = {"promise": promise, "test": test, "size": size, "result": result}
        with Path(path).open("a", encoding="utf-8") as figures:
            figures.write(json.dumps(told, ensure_ascii=False) + "\n")
