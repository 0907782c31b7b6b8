"""Words → QuerySpec: dates, aliases, values, cues, refusals, clarifying questions."""
