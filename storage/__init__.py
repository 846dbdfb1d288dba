"""The store: SQL is the truth, everything held in memory follows it."""
