"""The schema's history, one step per file; ``aim_memory.storage.migrate`` runs it."""
