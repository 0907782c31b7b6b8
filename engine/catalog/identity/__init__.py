"""Who a record is about: declared keys join records of several sources, people decide where they clash."""
