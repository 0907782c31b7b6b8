"""Money as people read it; it is kept as whole minor units with a currency."""

from __future__ import annotations

SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}


def money(minor: float, currency: str = "EUR") -> str:
    """€12.40, −€3.00, €12,400: whole units from a thousand on."""
    amount = round(minor) / 100
    sign = "−" if amount < 0 else ""
    digits = f"{abs(amount):,.0f}" if abs(amount) >= 1000 else f"{abs(amount):,.2f}"
    return f"{sign}{SYMBOLS.get(currency, currency + ' ')}{digits}"
