"""The published response model of the demo bank: what really happens when a customer is contacted.

For customer i, offer o (category c), channel h, window w, tone v, day t and m messages over the seven
days before, with every constant from `world`:

    logit P(click)  = CLICK_BASE[h] + CLICK_ENGAGEMENT·engagement_i + CLICK_PRIMARY·[h = primary_i]
                      + CLICK_WINDOW·[w = window_i] + CLICK_SPELL·[shopping_ict] + CLICK_FATIGUE·m
                      + CLICK_WEEKDAY[t] + CLICK_TONE[v][segment_i] + CHURNED·[left_it]
    own_iot         = ACCEPT_BASE[o] + ACCEPT_SEGMENT[segment_i, o] + ACCEPT_SPELL·spell_ict
                      + ACCEPT_HOLDS·[holds c] + ACCEPT_ACCEPTED·[accepted o]
                      + ACCEPT_TASTE·taste_io + CHURNED·[left_it]
    logit P(accept | sent)     = own_iot + ACCEPT_CHANNEL[h] + ACCEPT_PRIMARY·[h = primary_i]
                                 + ACCEPT_WINDOW·[w = window_i] + ACCEPT_FATIGUE·m
                                 + ACCEPT_TONE[v][segment_i]
    logit P(accept | not sent) = own_iot − lift_io
    lift_io = (UPLIFT_SEGMENT[segment_i, c] + UPLIFT_OWN·persuadable_i) · (UPLIFT_SPELL if shopping else 1)

The uplift P(accept | sent) − P(accept | not sent) differs by customer and is negative for some (retirees
and cards). "Accept" means within two days. Nobody but evaluation may read this module's answers: no
feature, model or decision does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from smart_reach.engine.demo.simulation import world
from smart_reach.engine.demo.simulation.population import Array, Population
from smart_reach.engine.errors import NotFound

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

POPULATION_FILE = "demo/population.npz"


@dataclass(frozen=True)
class Contact:
    """Messages that are or might be sent: arrays of equal length, codes index the tuples of `world`."""

    customer: Array
    offer: Array
    channel: Array
    window: Array
    benefit: Array  # effect index: True where the tone is benefit-led
    day: Array  # days since the history's start, with fraction
    weekday: Array  # local, 0 = Monday
    recent: Array  # messages over the seven days before
    held: Array  # holds something of the offer's category
    accepted: Array  # has accepted this offer before


class Truth:
    """Probabilities under the published model, for evaluation and for the customers' own answers."""

    def __init__(self, population: Population) -> None:
        self.population = population

    def click(self, contact: Contact) -> Array:
        """P(a person clicks | delivered); link outages not included."""
        who, person = contact.customer, self.population
        tone = tone_by_segment(world.CLICK_TONE, contact, person)
        logit = (
            world.CLICK_BASE[contact.channel]
            + world.CLICK_ENGAGEMENT * person.engagement[who]
            + world.CLICK_PRIMARY * (contact.channel == person.primary_channel[who])
            + world.CLICK_WINDOW * (contact.window == person.window[who])
            + world.CLICK_SPELL * (self._spell(contact) > 0)
            + world.CLICK_FATIGUE * contact.recent
            + world.CLICK_WEEKDAY[contact.weekday]
            + tone
            + self._left(contact)
        )
        return np.asarray(expit(logit))

    def accept(self, contact: Contact) -> Array:
        """P(conversion within two days | sent)."""
        who, person = contact.customer, self.population
        logit = (
            self._own(contact)
            + world.ACCEPT_CHANNEL[contact.channel]
            + world.ACCEPT_PRIMARY * (contact.channel == person.primary_channel[who])
            + world.ACCEPT_WINDOW * (contact.window == person.window[who])
            + world.ACCEPT_FATIGUE * contact.recent
            + tone_by_segment(world.ACCEPT_TONE, contact, person)
        )
        return np.asarray(expit(logit))

    def organic(self, contact: Contact) -> Array:
        """P(conversion within the same two days | not sent): the holdout's rate."""
        person, who = self.population, contact.customer
        category = world.OFFER_CATEGORY[contact.offer]
        lift = (
            world.UPLIFT_SEGMENT[person.segment[who], category] + world.UPLIFT_OWN * person.persuadable[who]
        )
        lift = lift * np.where(self._spell(contact) > 0, world.UPLIFT_SPELL, 1.0)
        return np.asarray(expit(self._own(contact) - lift))

    def uplift(self, contact: Contact) -> Array:
        """What sending changes: `accept` − `organic`."""
        return np.asarray(self.accept(contact) - self.organic(contact))

    def _own(self, contact: Contact) -> Array:
        who, person = contact.customer, self.population
        return np.asarray(
            world.ACCEPT_BASE[contact.offer]
            + world.ACCEPT_SEGMENT[person.segment[who], contact.offer]
            + world.ACCEPT_SPELL * self._spell(contact)
            + world.ACCEPT_HOLDS * contact.held
            + world.ACCEPT_ACCEPTED * contact.accepted
            + world.ACCEPT_TASTE * person.taste[who, contact.offer]
            + self._left(contact)
        )

    def _spell(self, contact: Contact) -> Array:
        return self.population.spell(contact.customer, world.OFFER_CATEGORY[contact.offer], contact.day)

    def _left(self, contact: Contact) -> Array:
        return np.asarray(world.CHURNED * (contact.day >= self.population.churn_day[contact.customer]))


def tone_by_segment(table: dict[str, Array], contact: Contact, person: Population) -> Array:
    """Tone effect of each message's receiver."""
    effect = table["benefit-led"][person.segment[contact.customer]]
    return np.asarray(np.where(contact.benefit, effect, 0.0))


def is_benefit(tone: str) -> bool:
    """Whether a tone acts as benefit-led; a tone the model does not know acts like `plain`."""
    return "benefit" in tone.lower()


def as_holdout(contact: Contact) -> Contact:
    """The same customers and offers with nothing sent: no fatigue and no tone."""
    return replace(contact, recent=np.zeros_like(contact.recent), benefit=np.zeros_like(contact.benefit))


def pick(contact: Contact, mask: Array) -> Contact:
    """The messages where the mask is true."""
    return Contact(**{name: getattr(contact, name)[mask] for name in Contact.__dataclass_fields__})


def load_truth(workspace: Workspace) -> Truth:
    """The truth of a built demo bank. Raises `NotFound` where none was built."""
    path = workspace.root / POPULATION_FILE
    if not path.exists():
        raise NotFound(f"The workspace {workspace.name} has no demo bank.", hint="Run `smart-reach demo`.")
    return Truth(Population.load(path))
