"""``aimem``: the entry point. Commands are in the files beside this one, a group in each."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line."""
    from aim_memory.errors import MissingExtraError
    from aim_memory.extras import needs

    try:
        with needs("embedded"):
            from aim_memory.cli.commands import app
    except MissingExtraError as failure:
        sys.exit(f"✗ {failure.message}")
    app()


if __name__ == "__main__":
    main()
