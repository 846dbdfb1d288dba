"""``aimem bench``: measures this very installation on evaluation sets of one's own."""
