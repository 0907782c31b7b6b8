"""Which customer a record is about: declared keys, and a review list for conflicts."""
