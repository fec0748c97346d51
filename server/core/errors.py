"""The exceptions of the campaign server. Each has a title and a message for people.

```
ServerError
├── Refused           what was asked cannot be done: the message says what to ask instead
└── EnvironmentFault  the machine or its configuration is at fault: disk, database, keys
```
Anything else that is raised is a bug. What an agent is answered is in `problems`.
"""


class ServerError(Exception):
    """Raised with a `title` (what happened, one line) and a `message` (why, and what to do)."""

    def __init__(self, title: str, message: str) -> None:
        super().__init__(f"{title}: {message}")
        self.title = title
        self.message = message


class Refused(ServerError):
    """The request makes no sense as it is; asking for something else will work."""


class EnvironmentFault(ServerError):
    """Something around the program is missing or broken."""
