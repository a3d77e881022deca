"""How a person runs it: the only place with argv, printing and exit codes."""
