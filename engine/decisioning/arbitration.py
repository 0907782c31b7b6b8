"""The choice itself, for one customer or twenty thousand: the same arrays, the same arithmetic.

Arrays have the shape (customers, offers, channels, windows). An action keeps the code of the first stage
that removed it; 0 means it survived. Nothing here reads a clock, a database or a random number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from smart_reach.engine.decisioning.contact.limits import breaks_cap, is_quiet, send_time
from smart_reach.engine.decisioning.inputs import Inputs, OfferFacts
from smart_reach.engine.decisioning.policy import Cap
from smart_reach.engine.decisioning.rules import all_hold
from smart_reach.engine.models.encoding import Matrix
from smart_reach.engine.models.store import LoadedModel

Codes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Shape = tuple[int, int, int, int]

STAGES: tuple[tuple[str, str], ...] = (
    ("", "kept"),
    ("holdout", "Holdout group"),
    ("eligibility", "Eligibility"),
    ("consent", "Consent"),
    ("suppression", "Suppression"),
    ("caps", "Contact caps"),
    ("quiet", "Quiet hours"),
    ("model", "Score"),
    ("value", "Expected value"),
)
HOLDOUT, ELIGIBILITY, CONSENT, SUPPRESSION, CAPS, QUIET, MODEL, VALUE = range(1, 9)
# rows scored at once: keeps a matrix of 40 columns near 30 MB
CHUNK = 100_000


@dataclass(frozen=True)
class Arbitrated:
    """Where each action ended. `propensity` and `value` (minor units) are NaN for removed actions."""

    removed: Codes
    propensity: Floats
    value: Floats
    messages_30d: npt.NDArray[np.int64]

    def best(self, customer: int) -> tuple[int, int, int] | None:
        """(offer, channel, window) of the highest value; ties go to the first in order."""
        values = np.where(self.removed[customer] == 0, self.value[customer], -np.inf)
        if not np.isfinite(values).any():
            return None
        offer, channel, window = np.unravel_index(int(np.argmax(values)), values.shape)
        return int(offer), int(channel), int(window)


def arbitrate(
    inputs: Inputs,
    models: Mapping[str, LoadedModel],
    progress: Callable[[float, str], None] = lambda share, doing: None,
) -> Arbitrated:
    """Filter, score and value every action of every customer."""
    shape: Shape = (len(inputs.ids), len(inputs.offers), len(inputs.channels), len(inputs.windows))
    removed = np.zeros(shape, dtype=np.uint8)
    _remove(removed, HOLDOUT, np.array(inputs.holdout, dtype=bool)[:, None, None, None])
    _remove(removed, ELIGIBILITY, ~_eligible(inputs)[:, :, None, None])
    _remove(removed, CONSENT, ~_consented(inputs)[:, None, :, None])
    _remove(removed, SUPPRESSION, _suppressed(inputs)[:, :, None, None])
    _remove(removed, CAPS, _capped(inputs)[:, None, :, :])
    _remove(removed, QUIET, _quiet(inputs)[:, None, None, :])
    has_model = np.array([offer.id in models for offer in inputs.offers], dtype=bool)
    _remove(removed, MODEL, ~has_model[None, :, None, None])
    progress(0.2, "contact policy applied")
    return _valued(inputs, models, removed, progress)


def _remove(removed: Codes, stage: int, mask: npt.NDArray[np.bool_]) -> None:
    removed[np.broadcast_to(mask, removed.shape) & (removed == 0)] = stage


def _eligible(inputs: Inputs) -> npt.NDArray[np.bool_]:
    """(customers, offers)."""
    return np.stack([all_hold(offer.rules, inputs.features) for offer in inputs.offers], axis=1)


def _consented(inputs: Inputs) -> npt.NDArray[np.bool_]:
    """(customers, channels); no row means no consent."""
    found = np.zeros((len(inputs.ids), len(inputs.channels)), dtype=bool)
    for row, customer_id in enumerate(inputs.ids):
        for column, channel in enumerate(inputs.channels):
            receipt = inputs.consents.get(customer_id, {}).get(channel)
            found[row, column] = receipt is not None and receipt.granted
    return found


def _suppressed(inputs: Inputs) -> npt.NDArray[np.bool_]:
    """(customers, offers): converted lately on the offer, or unsubscribed lately from anything."""
    found = np.zeros((len(inputs.ids), len(inputs.offers)), dtype=bool)
    policy = inputs.contact_policy
    converted = inputs.at - timedelta(days=policy.after_conversion_days)
    left = inputs.at - timedelta(days=policy.after_unsubscribe_days)
    column = {offer.id: number for number, offer in enumerate(inputs.offers)}
    for row, customer_id in enumerate(inputs.ids):
        for happening in inputs.happenings.get(customer_id, ()):
            if happening.at > inputs.at:
                continue
            if happening.kind == "unsubscribe" and happening.at > left:
                found[row, :] = True
            elif happening.kind == "conversion" and happening.at > converted and happening.offer_id in column:
                found[row, column[happening.offer_id]] = True
    return found


def _capped(inputs: Inputs) -> npt.NDArray[np.bool_]:
    """(customers, channels, windows): one more contact would break a cap."""
    found = np.zeros((len(inputs.ids), len(inputs.channels), len(inputs.windows)), dtype=bool)
    caps = [cap for cap in inputs.contact_policy.caps if cap.limit is not None]
    for cap in caps:
        if cap.limit == 0:
            found[:, [cap.channel in (None, channel) for channel in inputs.channels], :] = True
    for row, customer_id in enumerate(inputs.ids):
        contacts = inputs.contacts.get(customer_id)
        if not contacts:
            continue
        for number, window in enumerate(inputs.windows):
            at = send_time(inputs.zones[row], window, inputs.at)
            for cap in caps:
                times = [contact.at for contact in contacts if cap.channel in (None, contact.channel)]
                # fewer contacts than the limit can never break it
                if len(times) >= (cap.limit or 0) and breaks_cap(times, at, cap.hours, cap.limit or 0):
                    found[row, _channels_of(cap, inputs.channels), number] = True
    return found


def _channels_of(cap: Cap, channels: tuple[str, ...]) -> list[int]:
    return [number for number, channel in enumerate(channels) if cap.channel in (None, channel)]


def _quiet(inputs: Inputs) -> npt.NDArray[np.bool_]:
    """(customers, windows): the action would go out in quiet hours."""
    zones = sorted(set(inputs.zones))
    by_zone = {
        zone: [
            is_quiet(inputs.contact_policy, zone, send_time(zone, window, inputs.at))
            for window in inputs.windows
        ]
        for zone in zones
    }
    return np.array([by_zone[zone] for zone in inputs.zones], dtype=bool).reshape(
        len(inputs.ids), len(inputs.windows)
    )


def messages_30d(inputs: Inputs) -> npt.NDArray[np.int64]:
    """Contacts of the last 30 days, per customer."""
    start = inputs.at - timedelta(days=30)
    return np.array(
        [
            sum(1 for contact in inputs.contacts.get(customer_id, ()) if start < contact.at <= inputs.at)
            for customer_id in inputs.ids
        ],
        dtype=np.int64,
    )


def _valued(
    inputs: Inputs,
    models: Mapping[str, LoadedModel],
    removed: Codes,
    progress: Callable[[float, str], None],
) -> Arbitrated:
    propensity = np.full(removed.shape, np.nan)
    value = np.full(removed.shape, np.nan)
    recent = messages_30d(inputs)
    policy = inputs.decision_policy
    cost = np.array([policy.channel_cost_minor.get(channel, 0.0) for channel in inputs.channels])
    for number, offer in enumerate(inputs.offers):
        customers, channels, windows = np.nonzero(removed[:, number] == 0)
        if len(customers):
            p = _propensities(inputs, models[offer.id], customers, channels, windows)
            propensity[customers, number, channels, windows] = p
            worth = p * offer.margin_minor - cost[channels] - policy.fatigue_minor * recent[customers]
            value[customers, number, channels, windows] = worth
        progress(0.2 + 0.7 * (number + 1) / len(inputs.offers), f"scored {offer.name}")
    worthless = (removed == 0) & ~(value > 0)
    removed[worthless] = VALUE
    return Arbitrated(removed, propensity, value, recent)


def action_matrix(
    inputs: Inputs,
    model: LoadedModel,
    base: Matrix,
    channels: npt.NDArray[np.int64],
    windows: npt.NDArray[np.int64],
) -> Matrix:
    """The rows of `base` with the codes of their channel and window filled in."""
    if base.shape[1]:
        for name, ids, picks in (
            ("channel", inputs.channels, channels),
            ("window", inputs.windows, windows),
        ):
            place = model.encoder.index(name)
            codes = np.array([model.encoder.columns[place].code(one) for one in ids])
            base[:, place] = codes[picks]
    return base


def _propensities(
    inputs: Inputs,
    model: LoadedModel,
    customers: npt.NDArray[np.int64],
    channels: npt.NDArray[np.int64],
    windows: npt.NDArray[np.int64],
) -> Floats:
    encoded = model.encode(inputs.features)
    parts = []
    for start in range(0, len(customers), CHUNK):
        rows = slice(start, start + CHUNK)
        matrix = action_matrix(inputs, model, encoded[customers[rows]], channels[rows], windows[rows])
        parts.append(model.propensity(matrix))
    return np.concatenate(parts)


def value_of(offer: OfferFacts, inputs: Inputs, channel: str, recent: int, propensity: float) -> float:
    """The same value for one action: propensity × margin − channel cost − fatigue × messages."""
    policy = inputs.decision_policy
    cost = policy.channel_cost_minor.get(channel, 0.0)
    return propensity * offer.margin_minor - cost - policy.fatigue_minor * recent
