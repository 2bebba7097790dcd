"""Says which of the topics that we would listen to the broker does not allow."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

log = logging.getLogger(__name__)


def told_by_suback(topics: Sequence[str]) -> Callable[..., None]:
    """What is to be called with the reason codes of the answer to a SUBSCRIBE of ``topics``, as paho does."""

    def answered(_client: Any, _data: Any, _mid: int, codes: Sequence[Any], _properties: Any) -> None:
        refused = [topic for topic, code in zip(topics, codes, strict=False) if code.is_failure]
        if refused:
            log.warning(
                "the broker does not allow us to listen to %s: what is sent there goes unheard until its access list"
                " allows this user to read it",
                ", ".join(refused),
            )

    return answered
