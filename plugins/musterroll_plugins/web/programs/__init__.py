"""The API for programs: what the pages can do, with bearer tokens, and the JSON documents of the command line."""
