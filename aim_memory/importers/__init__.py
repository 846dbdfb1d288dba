"""Conversations and memories of other programs, as entries of an import.

``opening`` finds the files in a folder or an archive and distrusts them, ``records`` reads their JSON a record at a
time, a file for each format turns records into turns, ``turns`` turns those into entries. ``reading`` puts them
together.
"""
