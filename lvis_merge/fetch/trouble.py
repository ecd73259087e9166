"""What can go wrong with one download, and whether to try again."""

from __future__ import annotations

import random
import re
from enum import StrEnum

_STATUS = re.compile(r"status code: (\d{3}[^:\n]{0,40})")
_USER = re.compile(r"(?<=://)[^/?#\s]*@")
_AGAIN_STATUS = ("408", "425", "429")
_WORDS = (
    # how the client's error reads somewhere, and what it means
    ("dns error", "the host's name is not known"),
    ("Connection refused", "the connection was refused"),
    ("ConnectionRefused", "the connection was refused"),
    ("TimedOut", "timed out"),
    ("IncompleteBody", "the connection was cut"),
    ("UnexpectedEof", "the connection was cut"),
    ("IncompleteMessage", "the connection was cut"),
    ("ConnectionReset", "the connection was cut"),
    ("MissingContentLength", "the server does not say how long the file is"),
    ("certificate", "the server's certificate is not trusted"),
)


def without_user(text: str) -> str:
    """A text for people, without the names and passwords of the addresses in it."""
    return _USER.sub("", text)


class Reason(StrEnum):
    """Kinds of trouble, as the list of failures names them."""

    not_found = "not_found"
    forbidden = "forbidden"
    refused = "refused"
    unreachable = "unreachable"
    no_image = "no_image"
    damaged = "damaged"
    wrong_size = "wrong_size"
    too_large = "too_large"
    no_url = "no_url"


WORDS = {
    Reason.not_found: "not there (404)",
    Reason.forbidden: "not allowed (401, 403)",
    Reason.refused: "refused by the server",
    Reason.unreachable: "no answer, or none without an error",
    Reason.no_image: "no image (an error page, say)",
    Reason.damaged: "damaged or cut short",
    Reason.wrong_size: "of another size than the manifest says",
    Reason.too_large: "too large",
    Reason.no_url: "without a plain http address",
}

TRIES = {Reason.unreachable: 8, Reason.no_image: 4, Reason.damaged: 4}
"""How often an image is asked for; once where the reason is not named here."""

ANSWERS = frozenset(
    {Reason.not_found, Reason.forbidden, Reason.damaged, Reason.wrong_size, Reason.too_large}
)
"""After these the server is known to work. An error page for every image is an outage too."""


class Trouble(Exception):  # noqa: N818, it may pass
    """One download that did not succeed.

    Attributes:
        reason: its kind.
        detail: one line for people.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = without_user(" ".join(detail.split()))[:200]

    @classmethod
    def of(cls, error: Exception) -> Trouble:
        """Reads an error of the object store's client, which tells most of it in its text only."""
        from obstore import exceptions

        text = str(error)
        status = match[1].strip() if (match := _STATUS.search(text)) else ""
        if isinstance(error, FileNotFoundError):
            return cls(Reason.not_found, status or "no such file")
        if isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError):
            return cls(Reason.forbidden, status or "no permission")
        if status.startswith("4") and not status.startswith(_AGAIN_STATUS):
            return cls(Reason.refused, status)
        no_path = ValueError | exceptions.InvalidPathError  # a key with `..` in it, say
        if isinstance(error, no_path | exceptions.NotSupportedError):
            return cls(Reason.refused, text.splitlines()[0])
        known = (words for needle, words in _WORDS if needle in text)
        return cls(Reason.unreachable, status or next(known, text.splitlines()[0]))


def pause(attempt: int, first: float, longest: float) -> float:
    """Seconds to wait before the next attempt: doubling, with jitter.

    Args:
        attempt: how many have failed, from 1.
        first: seconds after the first.
        longest: seconds that no pause exceeds.
    """
    return min(first * 2.0 ** (attempt - 1), longest) * random.uniform(0.5, 1.0)
