"""The error tree. Each error says what is wrong (`message`) and what helps (`help`).

    ContractAgentError
    ├── SettingsError           a setting can't be used
    ├── DocumentError           one document can't be processed: it goes to quarantine, the run goes on
    ├── ExtractorUnavailable    the chosen engine can't work here
    ├── PlaybookError           a playbook file is not well formed
    ├── WarehouseError          the warehouse can't be read or written
    │   └── QueryError          a query was refused or failed
    ├── StorageError            a place elsewhere can't be reached or used
    └── RunError                the run itself failed

The page docs/errors.md has an entry for every `code`.
"""


def printable(text: str) -> str:
    """The text with what can't be written as UTF-8 escaped: bytes of a file's name may be any."""
    return text.encode("utf-8", "backslashreplace").decode()


class ContractAgentError(Exception):
    """Base of all errors that a user may see."""

    code = "error"

    def __init__(self, message: str, *, help: str = "", code: str | None = None):
        self.message = printable(message)
        super().__init__(self.message)
        self.help = help
        self.code = code or self.code

    def __str__(self) -> str:
        return f"{self.message} {self.help}".strip()

    def __reduce__(self):
        # Exceptions cross process borders; keyword-only arguments are lost by the default.
        return _rebuild, (type(self), self.message, self.help, self.code)


def _rebuild(kind: type[ContractAgentError], message: str, help: str, code: str) -> ContractAgentError:
    return kind(message, help=help, code=code)


class SettingsError(ContractAgentError):
    """A setting can't be used."""

    code = "settings"


class DocumentError(ContractAgentError):
    """One document can't be processed. `code` is what `documents.error_code` shows."""

    code = "unreadable"


class ExtractorUnavailable(ContractAgentError):
    """The chosen engine can't work here."""

    code = "extractor_unavailable"


class PlaybookError(ContractAgentError):
    """A playbook file is not well formed."""

    code = "playbook"


class WarehouseError(ContractAgentError):
    """The warehouse can't be read or written."""

    code = "warehouse"


class QueryError(WarehouseError):
    """A query was refused or failed."""

    code = "query"


class StorageError(ContractAgentError):
    """A place elsewhere, named by a URL, can't be reached or used."""

    code = "storage"


class RunError(ContractAgentError):
    """The run itself failed; what had been published before stays published."""

    code = "run"
