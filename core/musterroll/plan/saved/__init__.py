"""A plan in a file of its own: readable JSON, to be looked at, kept, and carried out by `apply`.

    {"schema": "musterroll-plan/1",
     "id": …, "made": …, "musterroll": …, "pipeline": …, …        the header, a member a line
     "problems": [ … ], "groups_to_create": [ … ], "groups": [ … ], "changes": [ … ],   an element a line
     "digest": "sha256:…"}                                       of every byte above this line

The layout is part of the format: it is what lets a plan of any length be written and read as a stream. The digest
tells a file that was edited, cut off or damaged from one that is as it was saved. It is no protection against
anybody who means harm: whoever can write the file can write the digest as well.
"""
