"""The border to strangers' plugins, a file a role.

What `build` makes is looked at once; from then on the engine talks to a guard that plays the same role: it names the
plugin when something breaks, tells the watch what is being waited for, and looks at every answer before it is used.
Rules are called far too often for that, so they are called directly, and what they find is looked at (`rules`).
The user backend has a room of its own: `portal`.
"""
