"""Dates as formats write them, as moments in UTC."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# "D:20230227044202+11'00'" (ISO 32000-1, 7.9.4); all behind the year may be missing.
_PDF = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?\s*(?:([+-]\d\d)'?(\d\d)?'?|Z.*)?$")
_YEAR_FIRST = re.compile(r"\d{4}(-\d\d)?(-\d\d)?$")


def moment(value: object) -> datetime | None:
    """Return what a date in ISO 8601, RFC 5322 or PDF form means, None for anything else; without a zone it is UTC."""
    if isinstance(value, datetime):
        return _utc(value)
    text = str(value or "").strip()
    if not text or len(text) > 80:
        return None
    for parse in (_iso, _pdf, parsedate_to_datetime):
        try:
            return _utc(parse(text))
        except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
            continue
    return None


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _iso(text: str) -> datetime:
    if _YEAR_FIRST.match(text):
        text += "-01-01"[: 10 - len(text)] if len(text) == 4 else "-01"[: 10 - len(text)]
    return datetime.fromisoformat(text)


def _pdf(text: str) -> datetime:
    match = _PDF.match(text)
    if not match:
        raise ValueError(text)
    year, month, day, hour, minute, second, zone_hours, zone_minutes = match.groups()
    moment = f"{year}-{month or '01'}-{day or '01'}T{hour or '00'}:{minute or '00'}:{second or '00'}"
    return datetime.fromisoformat(moment + (f"{zone_hours}:{zone_minutes or '00'}" if zone_hours else "+00:00"))
