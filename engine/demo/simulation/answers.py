"""How customers answer messages: draws from the truth, shared by the history and the live bank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from smart_reach.engine.demo.simulation import world
from smart_reach.engine.demo.simulation.population import Array
from smart_reach.engine.demo.simulation.truth import Contact, Truth, as_holdout

DRAWS = 14  # uniform numbers a message
_MINUTE = 60.0
_HOUR = 3600.0
# P(click | accepted): most who accept come through the link
_CLICK_IF_ACCEPTED = 0.8
_OPEN_MEDIAN = np.array([40 * _MINUTE, 6 * _MINUTE, 5 * _MINUTE, 2 * _MINUTE, 20 * _MINUTE])


@dataclass(frozen=True)
class Answers:
    """Seconds after sending at which each thing happens; NaN where it does not. One entry a message."""

    delivered: Array
    bounce: Array
    open: Array
    click: Array
    conversion: Array
    unsubscribe: Array
    complaint: Array
    machine_open: Array
    machine_click: Array
    amount_factor: Array  # a conversion's value ÷ the offer's margin

    KINDS = ("delivered", "bounce", "open", "click", "conversion", "unsubscribe", "complaint")


def answer(truth: Truth, contact: Contact, draws: Array, link_share: Array | float = 1.0) -> Answers:
    """What the receivers do. `draws`: (n, DRAWS) uniforms; `link_share`: clicks that a link outage lets pass.

    A conversion and a click are drawn so that each has exactly the truth's probability, and most
    conversions come with a click.
    """
    delivered = draws[:, 0] >= world.BOUNCE[contact.channel]
    p_accept = truth.accept(contact)
    p_click = np.maximum(truth.click(contact), _CLICK_IF_ACCEPTED * p_accept)
    accepts = (draws[:, 1] < p_accept) & delivered
    rest = (p_click - _CLICK_IF_ACCEPTED * p_accept) / np.maximum(1 - p_accept, 1e-9)
    clicks = delivered & (draws[:, 2] < np.where(accepts, _CLICK_IF_ACCEPTED, rest) * link_share)
    opened = delivered & (clicks | (draws[:, 3] < world.OPEN_SHARE[contact.channel]))
    opened &= world.OPEN_SHARE[contact.channel] > 0
    receive = 2 + 18 * draws[:, 4]
    open_at = receive + _lognormal(draws[:, 5], _OPEN_MEDIAN[contact.channel], 1.0)
    click_at = open_at + 15 + 120 * draws[:, 6]
    accept_at = np.where(clicks, click_at, open_at) + _lognormal(draws[:, 7], 5 * _HOUR, 1.1)
    leaves = delivered & (draws[:, 8] < world.UNSUBSCRIBE_BASE + world.UNSUBSCRIBE_FATIGUE * contact.recent)
    scanned = delivered & (contact.channel == 0) & truth.population.scanned[contact.customer]
    robot = scanned & (draws[:, 10] < world.SCANNER_CLICKS)
    robot_at = receive + 0.5 + 2.5 * draws[:, 11]
    return Answers(
        delivered=_when(delivered, receive),
        bounce=_when(~delivered, receive),
        open=_when(opened, open_at),
        click=_when(clicks, click_at),
        conversion=_when(accepts, accept_at),
        unsubscribe=_when(leaves, open_at + 60),
        complaint=_when(delivered & (draws[:, 9] < world.COMPLAINT), open_at + 90),
        machine_open=_when(robot, robot_at),
        machine_click=_when(robot, robot_at + 0.4),
        amount_factor=_lognormal(draws[:, 12], 1.0, 0.3),
    )


def answer_without_message(truth: Truth, contact: Contact, draws: Array) -> tuple[Array, Array]:
    """Conversions of customers in the holdout: seconds after the decision not to send, amount factor."""
    accepts = draws[:, 1] < truth.organic(as_holdout(contact))
    when = _HOUR / 2 + draws[:, 7] * (world.RESPONSE_SECONDS - _HOUR)
    return _when(accepts, when), _lognormal(draws[:, 12], 1.0, 0.3)


def _lognormal(uniform: Array, median: Array | float, sigma: float) -> Array:
    spread = np.exp(sigma * ndtri(np.clip(uniform, 1e-6, 1 - 1e-6)))
    return np.asarray(median * spread)


def _when(happens: Array, seconds: Array) -> Array:
    """Whole microseconds would collide less, but seconds to the millisecond are what an ESP reports."""
    limited = np.minimum(seconds, world.RESPONSE_SECONDS - 1)
    return np.asarray(np.where(happens, np.round(limited, 3), np.nan))
