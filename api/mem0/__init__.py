"""mem0's own shape: its Python client, hosted or self-hosted paths, works by changing host and key.

``scope`` says where a user's memories lie and translates filters, ``shapes`` what is sent and replied, ``verbs`` what
is done, ``routes`` under which paths.
"""
