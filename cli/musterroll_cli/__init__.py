"""The command line.

    main.py             the program: parsing, and one line (or one JSON document) for whatever goes wrong
    options.py          the common options, and the decorator by which every command gets them
    verbs.py, jobs.py, invites.py, plugins.py, pipelines.py     the commands, a file a group
    templates.py, init.py       the commands that make files for people to fill in
    completion.py       what shells ask when somebody presses Tab
    again.py            the pipeline of a job or a saved plan, loaded once more
    session.py          one command at work: pipeline, progress, interruption, result, exit status
    json_document.py, records.py     results for programs
    console.py, tables.py, escape.py, text/     results for people

`musterroll --help` must load neither the engine nor a plugin, so main.py, options.py and the command files
import them inside functions only.
"""
