"""Which AIM-Memory this is."""

from aim_memory.extras import installed_version

VERSION = installed_version()
