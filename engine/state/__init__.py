"""The transactional state: one PostgreSQL, its sessions and migrations."""
