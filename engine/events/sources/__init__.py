"""Where records come from: Kafka, the HTTP inbox, files."""
