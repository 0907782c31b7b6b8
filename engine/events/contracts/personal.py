"""What looks like personal data, and what of an address may be kept."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Final

EMAIL_PATTERN: Final = r"[^@ ]+@[^@ ]+\.[^@ ]+"
PHONE_PATTERN: Final = r"^ *\+[0-9][0-9 ().-]{7,}$"
# Names of attributes that hold a person's own data. birth_year, age and postal areas are allowed.
PERSONAL_NAMES: Final = (
    r"^(.*_)?(e_?mail|phone|mobile|telephone|surname|lastname|firstname|last_name|first_name|full_name"
    r"|given_name|family_name|maiden_name|street|iban|ssn|passport|birth_date|date_of_birth|dob|birthday"
    r"|tax_id|national_id|card_number|account_number)(_(address|number|no|hash))?$|^name$|^address$"
)

_email = re.compile(EMAIL_PATTERN)
_phone = re.compile(PHONE_PATTERN)
_names = re.compile(PERSONAL_NAMES)


def looks_personal(text: str) -> str | None:
    """What a text looks like, if it looks like personal data: an e-mail address or a phone number."""
    if "@" in text and _email.search(text):
        return "an e-mail address"
    if "+" in text and _phone.search(text):
        return "a phone number"
    return None


def personal_name(name: str) -> bool:
    """Whether an attribute of that name would hold a person's own data."""
    return _names.search(name) is not None


@lru_cache(maxsize=1 << 16)
def network_of(address: str) -> str | None:
    """The network of an address, /24 of IPv4 and /48 of IPv6; None when it is not an address."""
    try:
        parsed = ipaddress.ip_address(address.strip())
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    if mapped is not None:
        parsed = mapped
    size, kept = (32, 24) if parsed.version == 4 else (128, 48)
    start = int(parsed) >> (size - kept) << (size - kept)
    first = ipaddress.IPv4Address(start) if parsed.version == 4 else ipaddress.IPv6Address(start)
    return f"{first}/{kept}"


def without_query(address: str) -> str:
    """A page's address without what follows ? or #: that part often names people."""
    return re.split(r"[?#]", address, maxsplit=1)[0]
