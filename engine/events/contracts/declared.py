"""The contracts themselves: what customers, consents, holdings, payments, visits, messages and outcomes say.

A change that an old sender would not notice (a new optional field) keeps the version; any other makes a
new one, and the old one stays readable.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from smart_reach.engine.catalog.words import CHANNELS
from smart_reach.engine.events.contract import CAMPAIGN_KINDS
from smart_reach.engine.events.contracts.fields import (
    ID_LENGTH,
    LIMIT,
    MAX_ATTRIBUTES,
    MAX_KEYS,
    TEXT_LENGTH,
    Contract,
    Field,
    FieldType,
    Rule,
)

_AT = "2026-11-20T12:00:00Z"
_FREE = (
    f"Up to {MAX_ATTRIBUTES} more facts: short text, numbers, true or false. No names, e-mail addresses, "
    "phone numbers or other personal data: such a record is refused."
)


def _id(name: str, description: str, *, required: bool = False, personal: bool = False) -> Field:
    return Field(
        name, "id", description, required, max_length=ID_LENGTH, personal=personal, column=_column(name)
    )


def _text(name: str, description: str, length: int = TEXT_LENGTH, column: str | None = None) -> Field:
    return Field(name, "text", description, max_length=length, column=column)


def _enum(name: str, description: str, values: tuple[str, ...], *, required: bool = False) -> Field:
    return Field(name, "enum", description, required, enum=values, column=_column(name))


def _whole(name: str, description: str, *, limit: int = LIMIT) -> Field:
    return Field(name, "integer", description, minimum=-limit, maximum=limit, column=_column(name))


def _plain(name: str, kind: FieldType, description: str, **more: Any) -> Field:
    return Field(name, kind, description, **more)


def _column(name: str) -> str | None:
    return name if name in _COLUMNS else None


_COLUMNS = {
    "event_id",
    "customer_id",
    "offer_id",
    "campaign_id",
    "channel",
    "variant_id",
    "message_id",
    "decision_id",
    "amount_minor",
}

_CURRENCY = _plain("currency", "currency", "ISO 4217 code of the amount, such as EUR.", column="currency")
_AMOUNT = _whole("amount_minor", "Amount in minor units (cents). Negative: given back.")
_AGENT = _text("user_agent", "What the browser or mail reader calls itself.", column="user_agent")
_IP = _plain(
    "ip",
    "address",
    "Address it came from. Only its network is kept: /24 of IPv4, /48 of IPv6.",
    personal=True,
    column="network",
)
_ATTRIBUTES = _plain("attributes", "attributes", _FREE)
_COMMON = (
    _id("event_id", "Your id of this record; the same id again within 7 days is dropped.", required=True),
    Field("occurred_at", "time", "When it happened: ISO 8601 with zone, or epoch milliseconds.", True),
    _id("customer_id", "Smart Reach's own id of the customer (or give customer_key).", personal=True),
    _plain(
        "customer_key",
        "key",
        "Your id of the customer: {kind, value}. Only a keyed hash is kept.",
        personal=True,
    ),
)
_WHO = (
    Rule("at_least_one", ("customer_id", "customer_key"), "Give customer_id or customer_key."),
    Rule("at_most_one", ("customer_id", "customer_key"), "Give only one of customer_id and customer_key."),
)
_MONEY = Rule("needs", ("amount_minor", "currency"), "An amount needs its currency.")
_EXAMPLE: dict[str, Any] = {"version": 1, "event_id": "e-1", "occurred_at": _AT, "customer_id": "cus_000001"}


def _contract(
    name: str,
    title: str,
    description: str,
    kinds: tuple[str, ...],
    fields: tuple[Field, ...],
    example: dict[str, Any],
    rules: tuple[Rule, ...] = _WHO,
) -> Contract:
    shown = {"type": name, **_EXAMPLE, **example}
    return Contract(name, 1, title, description, kinds, (*_COMMON, *fields), rules, shown)


CUSTOMER: Final = _contract(
    "customer",
    "Customer",
    "What your CRM or CDP knows about a customer at a moment. The newest record by occurred_at counts; "
    "attributes that it leaves out stay as they were.",
    ("customer",),
    (
        _plain(
            "keys",
            "keys",
            f"All your ids of this customer, up to {MAX_KEYS} of {{kind, value}}: they link records of "
            "several systems. Only keyed hashes are kept.",
            personal=True,
        ),
        _plain(
            "attributes",
            "attributes",
            "zone (IANA), language, region, segment, birth_year or age, age_band, job, income_band, "
            "joined_on (date), primary_channel, holdout (true or false) and others. " + _FREE,
        ),
    ),
    {
        "keys": [{"kind": "crm_id", "value": "C-77120"}],
        "attributes": {"zone": "Europe/Lisbon", "segment": "families", "birth_year": 1984},
    },
    (
        Rule("at_least_one", ("customer_id", "customer_key", "keys"), "Give customer_id or a key."),
        _WHO[1],
    ),
)

CONSENT: Final = _contract(
    "consent",
    "Consent",
    "A customer allowed or withdrew a channel for a purpose. The newest by occurred_at counts.",
    ("consent",),
    (
        _enum("channel", "The channel.", CHANNELS, required=True),
        _text("purpose", "What for; marketing when left out.", 64),
        Field("granted", "boolean", "true: allowed. false: withdrawn.", True),
        _text("proof", "Where the proof is kept: a form, a call, a document number.", 256),
        _ATTRIBUTES,
    ),
    {"channel": "email", "purpose": "marketing", "granted": True, "proof": "form-2026-11"},
)

PRODUCT_HOLDING: Final = _contract(
    "product_holding",
    "Product holding",
    "A customer opened or closed a product: a card, a loan, a policy, an account.",
    ("holding",),
    (
        Field("product", "id", "Your id of the product.", True, max_length=ID_LENGTH),
        _text("category", "Its category: card, loan, insurance, savings or your own.", 64),
        _enum("status", "What became of it.", ("opened", "closed"), required=True),
        _id("offer_id", "The offer it answers to, if there is one."),
        _whole("balance_minor", "Balance in minor units at this moment."),
        _CURRENCY,
        _ATTRIBUTES,
    ),
    {"product": "rewards-card", "category": "card", "status": "opened", "offer_id": "rewards-card"},
    (*_WHO, Rule("needs", ("balance_minor", "currency"), "A balance needs its currency.")),
)

TRANSACTION: Final = _contract(
    "transaction",
    "Transaction",
    "A payment or a purchase. A negative amount is a refund.",
    ("transaction",),
    (
        replace(_AMOUNT, required=True, description="Amount in minor units (cents). Negative: a refund."),
        replace(_CURRENCY, required=True),
        _text("product", "What was bought or paid with.", 256),
        _text("merchant_category", "What kind of shop: groceries, travel or your own words.", 128),
        _whole("quantity", "How many.", limit=10**9),
        _text("reference", "Your number of the order or booking; never an account number.", ID_LENGTH),
        _ATTRIBUTES,
    ),
    {"amount_minor": 1999, "currency": "EUR", "merchant_category": "groceries"},
)

ACTIONS: Final = ("page_view", "product_view", "search", "login", "app_open", "apply_start", "apply_submit")
WEB_EVENT: Final = _contract(
    "web_event",
    "Web or app event",
    "Something a known customer did on the website or in the app.",
    ("web_visit",),
    (
        _enum("action", "What was done.", ACTIONS, required=True),
        _text("page", "Path or address of the page; what follows ? or # is dropped.", column="page"),
        _text("device", "mobile, desktop, tablet or your own word.", 64, column="device"),
        Field("session_id", "id", "Your id of the visit.", max_length=ID_LENGTH),
        _id("offer_id", "The offer it was about."),
        _AGENT,
        _IP,
        _text("referrer", "Where the visitor came from; what follows ? or # is dropped."),
        _ATTRIBUTES,
    ),
    {"action": "product_view", "page": "/cards/rewards", "device": "mobile", "session_id": "s-1"},
)

CAMPAIGN_EVENT: Final = _contract(
    "campaign_event",
    "Campaign event",
    "What happened to one message. Opens and clicks get the machine filter's verdict beside them.",
    CAMPAIGN_KINDS,
    (
        Field("event", "enum", "What happened.", True, enum=CAMPAIGN_KINDS, column="kind"),
        _id("message_id", "Your id of the message to this customer.", required=True),
        _id("campaign_id", "The campaign."),
        _id("offer_id", "The offer it carried."),
        _enum("channel", "The channel.", CHANNELS),
        _id("variant_id", "The variant of the text."),
        _AMOUNT,
        _CURRENCY,
        _AGENT,
        _IP,
        _text("url", "The link that was clicked; what follows ? or # is dropped.", column="page"),
        Field("link_id", "id", "Your id of the link, when several share an address.", max_length=ID_LENGTH),
        _ATTRIBUTES,
    ),
    {"event": "click", "message_id": "msg-1", "campaign_id": "autumn", "channel": "email"},
    (*_WHO, _MONEY),
)

OUTCOMES: Final = ("accepted", "rejected", "ignored", "clicked")
OUTCOME: Final = _contract(
    "outcome",
    "Outcome",
    "What became of a decision or a message. An accepted one counts as a conversion.",
    ("conversion", "outcome"),
    (
        Field("outcome", "enum", "What the customer did.", True, enum=OUTCOMES),
        _id("decision_id", "The decision it answers."),
        _id("message_id", "The message it answers."),
        _id("campaign_id", "The campaign."),
        _id("offer_id", "The offer."),
        _enum("channel", "The channel.", CHANNELS),
        _AMOUNT,
        _CURRENCY,
        _ATTRIBUTES,
    ),
    {"outcome": "accepted", "decision_id": "dec-1", "amount_minor": 4000, "currency": "EUR"},
    (
        *_WHO,
        _MONEY,
        Rule("at_least_one", ("decision_id", "message_id"), "Give decision_id or message_id."),
    ),
)

ALL: Final = (CUSTOMER, CONSENT, PRODUCT_HOLDING, TRANSACTION, WEB_EVENT, CAMPAIGN_EVENT, OUTCOME)
