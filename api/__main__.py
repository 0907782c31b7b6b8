"""`python -m smart_reach.api` is the `smart-reach` command."""

from smart_reach.api.cli import main

main()
