"""The command line.

    start.py, main.py   where the program starts: parsing, and what is said of whatever goes wrong
    program.py          the program as typer knows it, made of the table in commands/
    commands/           the table of commands, and a module for each command or group
    options.py          the options that several commands have
    session.py          one command at work: pipeline, progress, interruption, result, exit status
    reload.py           the pipeline of a job or a saved plan, loaded once more
    plugin_commands.py  commands that plugins bring
    output/             results: the JSON stream, and text for people

`musterroll --help` must load neither the engine nor a plugin: the modules of commands, options.py and session.py are
imported when a command is called.
"""
