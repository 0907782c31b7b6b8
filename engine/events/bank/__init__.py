"""The UCI bank-marketing file: reading, dating and ingesting it."""
