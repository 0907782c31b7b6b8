"""The published constants of the demo bank: who its customers are and what moves them.

Every number of the response model stands here; `truth.py` says how they are put together.
"""

from __future__ import annotations

import numpy as np

from smart_reach.engine.catalog import words

OFFERS = words.OFFERS
CATEGORIES = ("card", "loan", "insurance", "savings")
OFFER_CATEGORY = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3])
TONES = ("plain", "benefit-led")
CHANNEL_IDS = tuple(words.CHANNELS)
WINDOW_IDS = tuple(words.WINDOWS)

SEGMENTS = ("students", "young professionals", "families", "affluent", "retirees")
SEGMENT_SHARE = (0.16, 0.28, 0.29, 0.12, 0.15)
SEGMENT_AGE = ((18, 25), (24, 37), (31, 56), (36, 66), (61, 86))
# share of (low, middle, high) income by segment
SEGMENT_INCOME = (
    (0.85, 0.14, 0.01),
    (0.2, 0.6, 0.2),
    (0.3, 0.55, 0.15),
    (0.0, 0.25, 0.75),
    (0.45, 0.45, 0.1),
)
# share that already held (card, loan, insurance, savings) when the history begins
SEGMENT_HOLDS = (
    (0.30, 0.05, 0.05, 0.35),
    (0.50, 0.15, 0.15, 0.40),
    (0.55, 0.40, 0.40, 0.45),
    (0.80, 0.30, 0.55, 0.70),
    (0.45, 0.05, 0.45, 0.65),
)
SEGMENT_TENURE_MONTHS = (18, 40, 80, 110, 180)
SEGMENT_ACTIVITY = (0.16, 0.20, 0.19, 0.22, 0.10)  # transactions a day
INCOME_BANDS = ("low", "middle", "high")
MONTHLY_INCOME_MINOR = (95_000, 190_000, 480_000)
JOBS = ("student", "services", "technician", "admin", "management", "self-employed", "retired")
MARITAL = ("single", "married", "divorced")

REGIONS = ("Lisbon", "Porto", "Madrid", "Barcelona", "London", "Azores")
REGION_SHARE = (0.27, 0.17, 0.21, 0.16, 0.14, 0.05)
ZONES = ("Europe/Lisbon", "Europe/Madrid", "Europe/London", "Atlantic/Azores")
REGION_ZONE = np.array([0, 0, 1, 1, 2, 3])

# Days of shopping and browsing before the first campaign, so that the first feature snapshots already see
# a customer's usual spend, and who has been quiet for 45 days.
LEAD_DAYS = 60
HOLDOUT_SHARE = 0.10
SCANNED_SHARE = 0.07  # customers whose mail passes a scanner that opens and clicks everything
CHURN_SHARE = 0.05
SLIPPING_SHARE = 0.08
CONSENT_SHARE = np.array([0.86, 0.74, 0.58, 0.90, 0.48])  # email push sms in_app social

# --- clicks: logit of the share of delivered messages that a person clicks --------------------------
CLICK_BASE = np.array([-3.05, -2.72, -2.50, -2.25, -3.30])  # email push sms in_app social
CLICK_ENGAGEMENT = 0.45  # × the customer's own standard-normal engagement
CLICK_PRIMARY = 0.35  # the message came through the customer's primary channel
CLICK_WINDOW = 0.40  # … in the customer's preferred window
CLICK_SPELL = 1.00  # … about something the customer is shopping for
CLICK_FATIGUE = -0.12  # × messages received over the seven days before
CLICK_WEEKDAY = np.array([0.0, 0.10, 0.12, 0.08, -0.02, -0.22, -0.18])  # Monday … Sunday, local
# tone × segment; `plain` is zero
CLICK_TONE = {"benefit-led": np.array([0.66, 0.66, 0.62, 0.35, 0.05])}
OPEN_SHARE = np.array([0.30, 0.16, 0.0, 0.35, 0.0])  # of delivered, beyond those who click; 0: not measured

# --- conversions: logit of accepting within the response time when the message is sent --------------
ACCEPT_BASE = np.array([-4.3, -4.5, -4.7, -5.3, -4.7, -4.9, -5.4, -4.6, -4.4, -4.8, -4.1, -4.4])
# segment × offer
ACCEPT_SEGMENT = np.array(
    [
        [0.7, 0.9, 0.5, -2.0, -0.2, -1.2, -2.5, -1.6, 0.4, -2.0, 0.5, -1.0],
        [0.9, 0.2, 0.7, 0.1, 0.6, 0.4, 0.4, 0.1, 0.6, -0.3, 0.4, 0.0],
        [0.5, 0.3, 0.0, -0.3, 0.5, 0.8, 0.9, 0.8, 0.2, 0.8, 0.3, 0.2],
        [0.2, -0.8, 0.9, 1.6, -0.9, 0.1, 0.2, 0.6, 0.8, 0.5, 0.3, 0.9],
        [-0.6, 0.2, -0.4, -0.9, -1.0, -1.0, -2.2, 0.4, 0.1, -0.2, 0.5, 1.0],
    ]
)
ACCEPT_SPELL = 4.6  # × the spell's strength (0.8–1.1): a customer shopping for this category
ACCEPT_HOLDS = -0.9  # the customer already holds something of this category
ACCEPT_ACCEPTED = -6.0  # … already accepted this very offer
ACCEPT_TASTE = 0.35  # × a hidden standard normal a customer and offer: what no feature shows
ACCEPT_CHANNEL = np.array([0.0, 0.12, 0.05, 0.22, -0.30])
ACCEPT_PRIMARY = 0.25
ACCEPT_WINDOW = 0.30
ACCEPT_FATIGUE = -0.07
ACCEPT_TONE = {"benefit-led": np.array([0.14, 0.14, 0.12, 0.0, 0.0])}
CHURNED = -3.0  # added to every logit once the customer has left
# What sending changes, on the logit: acceptance without a message is lower by this much.
UPLIFT_SEGMENT = np.array(  # segment × category
    [
        [1.1, 0.7, 0.6, 0.9],
        [1.3, 0.9, 0.8, 0.8],
        [0.8, 0.7, 1.1, 0.7],
        [0.5, 0.2, 0.6, 0.9],
        [-0.2, 0.1, 0.5, 0.6],
    ]
)
UPLIFT_OWN = 0.30  # × a hidden standard normal a customer
UPLIFT_SPELL = 0.6  # shoppers would often have bought anyway: their uplift is × this

UNSUBSCRIBE_BASE = 0.0012
UNSUBSCRIBE_FATIGUE = 0.0007  # × messages over seven days
COMPLAINT = 0.00025
BOUNCE = np.array([0.012, 0.035, 0.015, 0.002, 0.010])
SCANNER_CLICKS = 0.85
RESPONSE_SECONDS = 2 * 86_400  # everything a message causes has happened after two days

# Two days on which the link service of e-mail was down, counted back from the end of the history.
ANOMALY_DAYS_BACK = (10, 9)
ANOMALY_KEEPS = 0.15
