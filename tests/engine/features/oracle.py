"""The demo bank's features as one DuckDB query over events and customers, as of a moment.

An event counts when it had happened before the moment and had been received by it, so a feature never
sees the future, nor a past that was not known yet.
"""

from __future__ import annotations

# Customers as integers and only the columns that count: every snapshot reads this once-built table.
PREPARE = """
CREATE OR REPLACE TEMP TABLE people AS
SELECT row_number() OVER (ORDER BY customer_id) AS person, * FROM customers;

CREATE OR REPLACE TEMP TABLE happened AS
SELECT p.person, e.kind, e.occurred_at, e.received_at, e.channel, e.amount_minor, e.message_id,
       o.category, e.local_hour
FROM events e
JOIN people p USING (customer_id)
LEFT JOIN offer_categories o USING (offer_id)
WHERE NOT e.machine AND e.kind IN ('sent', 'open', 'click', 'conversion', 'web_visit', 'transaction')
ORDER BY e.occurred_at;
"""

SNAPSHOT = """
WITH known AS (
    SELECT *, occurred_at >= $as_of - INTERVAL 7 DAY AS d7,
           occurred_at >= $as_of - INTERVAL 30 DAY AS d30,
           occurred_at >= $as_of - INTERVAL 90 DAY AS d90
    FROM happened
    WHERE occurred_at < $as_of AND received_at <= $as_of
), totals AS (
    SELECT person,
        coalesce(sum(amount_minor) FILTER (kind = 'transaction'), 0) AS spend_all,
        coalesce(sum(amount_minor) FILTER (kind = 'transaction' AND d30), 0) AS spend_30d,
        coalesce(sum(amount_minor) FILTER (kind = 'transaction' AND d90), 0) AS spend_90d,
        count(*) FILTER (kind = 'transaction' AND d30) AS transactions_30d,
        count(*) FILTER (kind = 'web_visit' AND d30) AS visits_30d,
        count(*) FILTER (kind = 'web_visit' AND d30 AND category = 'card') AS visits_card_30d,
        count(*) FILTER (kind = 'web_visit' AND d30 AND category = 'loan') AS visits_loan_30d,
        count(*) FILTER (kind = 'web_visit' AND d30 AND category = 'insurance') AS visits_insurance_30d,
        count(*) FILTER (kind = 'web_visit' AND d30 AND category = 'savings') AS visits_savings_30d,
        max(occurred_at) FILTER (kind IN ('transaction', 'web_visit', 'open', 'click')) AS active_at,
        count(*) FILTER (kind = 'sent' AND d7) AS messages_7d,
        count(*) FILTER (kind = 'sent' AND d30) AS messages_30d,
        count(*) FILTER (kind = 'sent' AND d90) AS messages_90d,
        count(*) FILTER (kind = 'open' AND d30) AS opens_30d,
        count(*) FILTER (kind = 'open' AND d30 AND channel = 'email') AS emails_opened_30d,
        count(*) FILTER (kind = 'click' AND d30) AS clicks_30d,
        count(*) FILTER (kind = 'click' AND d90) AS clicks_90d,
        count(*) FILTER (kind = 'conversion' AND d90) AS conversions_90d,
        bool_or(kind = 'conversion' AND category = 'card') AS got_card,
        bool_or(kind = 'conversion' AND category = 'loan') AS got_loan,
        bool_or(kind = 'conversion' AND category = 'insurance') AS got_insurance,
        bool_or(kind = 'conversion' AND category = 'savings') AS got_savings,
        count(*) FILTER (d90 AND kind = 'click' AND channel = 'email') AS clicks_email,
        count(*) FILTER (d90 AND kind = 'sent' AND channel = 'email') AS sent_email,
        count(*) FILTER (d90 AND kind = 'click' AND channel = 'push') AS clicks_push,
        count(*) FILTER (d90 AND kind = 'sent' AND channel = 'push') AS sent_push,
        count(*) FILTER (d90 AND kind = 'click' AND channel = 'sms') AS clicks_sms,
        count(*) FILTER (d90 AND kind = 'sent' AND channel = 'sms') AS sent_sms,
        count(*) FILTER (d90 AND kind = 'click' AND channel = 'in_app') AS clicks_in_app,
        count(*) FILTER (d90 AND kind = 'sent' AND channel = 'in_app') AS sent_in_app,
        count(*) FILTER (d90 AND kind = 'click' AND channel = 'social') AS clicks_social,
        count(*) FILTER (d90 AND kind = 'sent' AND channel = 'social') AS sent_social,
        count(*) FILTER (d90 AND chosen AND local_hour BETWEEN 8 AND 10) / 3.0 AS at_morning,
        count(*) FILTER (d90 AND chosen AND local_hour BETWEEN 11 AND 13) / 3.0 AS at_midday,
        count(*) FILTER (d90 AND chosen AND local_hour BETWEEN 14 AND 17) / 4.0 AS at_afternoon,
        count(*) FILTER (d90 AND chosen AND local_hour BETWEEN 18 AND 19) / 2.0 AS at_evening
    FROM (SELECT *, kind IN ('web_visit', 'click') AS chosen FROM known)
    GROUP BY person
), held AS (
    SELECT p.*, t.* EXCLUDE (person),
        (p.had_card OR coalesce(t.got_card, false))::INTEGER AS has_card,
        (p.had_loan OR coalesce(t.got_loan, false))::INTEGER AS has_loan,
        (p.had_insurance OR coalesce(t.got_insurance, false))::INTEGER AS has_insurance,
        (p.had_savings OR coalesce(t.got_savings, false))::INTEGER AS has_savings,
        date_diff('day', p.opened_at, $as_of) / 30.0 AS months_open,
        -- clicks per message by channel, drawn towards the channel the customer chose
        (coalesce(t.clicks_email, 0) + 0.4 * (p.primary_channel = 'email')::INTEGER)
            / (coalesce(t.sent_email, 0) + 2) AS use_email,
        (coalesce(t.clicks_push, 0) + 0.4 * (p.primary_channel = 'push')::INTEGER)
            / (coalesce(t.sent_push, 0) + 2) AS use_push,
        (coalesce(t.clicks_sms, 0) + 0.4 * (p.primary_channel = 'sms')::INTEGER)
            / (coalesce(t.sent_sms, 0) + 2) AS use_sms,
        (coalesce(t.clicks_in_app, 0) + 0.4 * (p.primary_channel = 'in_app')::INTEGER)
            / (coalesce(t.sent_in_app, 0) + 2) AS use_in_app,
        (coalesce(t.clicks_social, 0) + 0.4 * (p.primary_channel = 'social')::INTEGER)
            / (coalesce(t.sent_social, 0) + 2) AS use_social,
        greatest(use_email, use_push, use_sms, use_in_app, use_social) AS most_used,
        greatest(t.at_morning, t.at_midday, t.at_afternoon, t.at_evening) AS most_active
    FROM people p LEFT JOIN totals t USING (person)
    WHERE p.joined_on <= $as_of::DATE
)
SELECT customer_id, $as_of::TIMESTAMPTZ AS as_of, age, age_band, segment, region, job, marital, income_band,
    date_diff('month', joined_on, $as_of::DATE)::INTEGER AS tenure_months,
    has_card + has_loan + has_insurance + has_savings AS holdings,
    has_card, has_loan, has_insurance, has_savings,
    greatest(0, opening_balance_minor + (monthly_inflow_minor * months_open)::BIGINT
        - coalesce(spend_all, 0))::BIGINT AS balance_minor,
    coalesce(spend_30d, 0)::BIGINT AS spend_30d_minor,
    CASE WHEN spend_90d > spend_30d AND months_open >= 1.5
        THEN round(spend_30d * (least(months_open, 3) - 1) / (spend_90d - spend_30d), 4)
        END::DOUBLE AS spend_trend,
    coalesce(transactions_30d, 0)::INTEGER AS transactions_30d,
    coalesce(visits_30d, 0)::INTEGER AS visits_30d,
    coalesce(visits_card_30d, 0)::INTEGER AS visits_card_30d,
    coalesce(visits_loan_30d, 0)::INTEGER AS visits_loan_30d,
    coalesce(visits_insurance_30d, 0)::INTEGER AS visits_insurance_30d,
    coalesce(visits_savings_30d, 0)::INTEGER AS visits_savings_30d,
    date_diff('day', active_at, $as_of)::INTEGER AS days_since_active,
    coalesce(messages_7d, 0)::INTEGER AS messages_7d,
    coalesce(messages_30d, 0)::INTEGER AS messages_30d,
    coalesce(opens_30d, 0)::INTEGER AS opens_30d,
    coalesce(emails_opened_30d, 0)::INTEGER AS emails_opened_30d,
    coalesce(clicks_30d, 0)::INTEGER AS clicks_30d,
    CASE WHEN messages_90d > 0 THEN round(clicks_90d / messages_90d, 4) END::DOUBLE AS click_rate_90d,
    coalesce(conversions_90d, 0)::INTEGER AS conversions_90d,
    primary_channel,
    CASE WHEN use_email = most_used THEN 'email' WHEN use_push = most_used THEN 'push'
         WHEN use_in_app = most_used THEN 'in_app' WHEN use_sms = most_used THEN 'sms'
         ELSE 'social' END AS preferred_channel,
    CASE WHEN coalesce(most_active, 0) = 0 THEN 'evening'
         WHEN at_evening = most_active THEN 'evening' WHEN at_morning = most_active THEN 'morning'
         WHEN at_afternoon = most_active THEN 'afternoon' ELSE 'midday' END AS preferred_window
FROM held
ORDER BY customer_id
"""
