"""The digest: what was first seen between two mornings, one entry a story.

`gather` asks the store, `build` makes one edition of it (pure), `formats` render it, `deliver` writes the files.
"""
