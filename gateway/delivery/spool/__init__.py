"""The store on disk: file and lock, trouble and salvage, journal, backlog, dead letters; ``spool.py`` joins them."""
