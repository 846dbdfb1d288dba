"""Makes a virtual environment per peer.

    python -m benchmarks.peers.environments [--venvs DIR] [NAME ...]

What is there already stays, unless the versions asked for have changed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.peers.roster import ENVIRONMENTS

ROOT = Path(__file__).resolve().parents[2]
VENVS = Path(__file__).with_name(".venvs")
"""Where the environments are made by default."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *ENVIRONMENTS])
    parser.add_argument("--venvs", type=lambda given: Path(given).resolve(), default=VENVS)
    options = parser.parse_args()
    for name in options.names or ENVIRONMENTS:
        made = make(options.venvs, name)
        print(f"{name:12} {'made' if made else 'is there'}: {options.venvs / name}", flush=True)


def make(venvs: Path, name: str) -> bool:
    """Makes one environment; false if it is there already with the same requirements."""
    home = venvs / name
    wanted = repr(ENVIRONMENTS[name])
    stamp = home / "requirements.stamp"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return False
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    for requirements in ENVIRONMENTS[name]:
        subprocess.run(
            [python_of(venvs, name), "-P", "-m", "pip", "install", "--quiet", *requirements], cwd=ROOT, check=True
        )
    stamp.write_text(wanted, encoding="utf-8")
    return True


def python_of(venvs: Path, name: str) -> Path:
    """The interpreter of an environment."""
    return venvs / name / "bin" / "python"


if __name__ == "__main__":
    main()
