"""Next best action: eligibility, contact policy, value, arbitration, reasons, replay."""
