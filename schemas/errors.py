"""Every error a user can meet, by what it means for the run.

    CleartitleError
    ├── UsageError          exit 2: the command, the config or what they point at is wrong; nothing was started
    │   ├── ConfigError     the configuration file
    │   ├── InputError      the crawl files it names
    │   └── OutputError     the directory it shall write to
    └── WorkError           exit 1: the work was begun and failed; --resume goes on from there
        ├── BooksError      the counts do not add up, so nothing is published
        └── AlarmError      the counts look wrong and the config says not to publish then

A message is a short letter: what happened, with which value, what to do.
"""


class CleartitleError(Exception):
    """Base of all errors that are meant for the user; the message is printed without a traceback."""

    exit_code = 1


class UsageError(CleartitleError):
    """The command, the config or what they point at is wrong. Raised before any work starts."""

    exit_code = 2


class ConfigError(UsageError):
    """The configuration is wrong; the message lists every mistake, one a line."""


class InputError(UsageError):
    """The crawl files cannot be used as the config says."""


class OutputError(UsageError):
    """The output directory cannot be used."""


class WorkError(CleartitleError):
    """The work was begun and failed."""


class BooksError(WorkError):
    """Records in are not kept + dropped + rejected."""


class AlarmError(WorkError):
    """An alarm of `alarms.fail_on` is raised."""
