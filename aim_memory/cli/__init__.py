"""The command line, ``aimem``: one file per group of commands, heavy imports inside the command that needs them."""
