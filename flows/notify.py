"""News of the night: the morning brief to Slack, Teams, mail and what else Apprise knows, where the settings say so."""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from apprise import Apprise, AppriseAsset, NotifyFormat
from apprise.plugins.base import NotifyBase
from pydantic import SecretStr

from schemas.errors import ContractAgentError
from warehouse.brief import brief, markdown, title

_log = logging.getLogger(__name__)
_STATUS = re.compile(r"\berror=(\d{3})\b")


def tell(addresses: Sequence[SecretStr], warehouse: Path) -> int:
    """Send the brief of a warehouse to each address, and give back how many took it.

    What fails is a warning in the log, without the address: it holds secrets.
    """
    try:
        morning = brief(warehouse)
    except ContractAgentError as error:
        _log.warning("The brief was not sent: %s", error)
        return 0
    subject, text = title(morning), markdown(morning)
    return sum(_send(number, address, subject, text) for number, address in enumerate(addresses, 1))


def service_of(address: SecretStr) -> str | None:
    """The name of the service that an address belongs to, None when it can't be used as it is written."""
    plugin = _plugin(address)
    return str(plugin.service_name) if plugin else None


def _send(number: int, address: SecretStr, subject: str, text: str) -> bool:
    plugin = _plugin(address)
    if plugin is None:
        _log.warning("Address %d of the setting notify can't be used; `contract-agent doctor` checks them.", number)
        return False
    with _overheard() as said:
        sender = Apprise(asset=plugin.asset)
        sender.add(plugin)
        sent = bool(sender.notify(body=text, title=subject, body_format=NotifyFormat.MARKDOWN))
    if sent:
        _log.info("The brief was sent to address %d (%s).", number, plugin.service_name)
    else:
        status = next((found[1] for line in said if (found := _STATUS.search(line))), None)
        why = f"it answered {status}" if status else "it could not be reached or refused the message"
        _log.warning("The brief was not taken by address %d (%s): %s.", number, plugin.service_name, why)
    return sent


def _plugin(address: SecretStr) -> NotifyBase | None:
    with _overheard():
        return Apprise.instantiate(address.get_secret_value().strip(), asset=AppriseAsset(app_id="contract-agent"))


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """What Apprise and its HTTP client log meanwhile, kept from all logs: it may name the address."""
    said: list[str] = []
    listener = logging.Handler(logging.WARNING)
    listener.emit = lambda record: said.append(record.getMessage())
    loggers = [logging.getLogger(name) for name in ("apprise", "urllib3")]
    propagated = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.propagate = False
        logger.addHandler(listener)
    try:
        yield said
    finally:
        for logger, former in zip(loggers, propagated, strict=True):
            logger.removeHandler(listener)
            logger.propagate = former
