"""The store on disk: file and its lock, disk trouble, salvage, journal, accounts, backlog; ``spool.py`` joins them."""
