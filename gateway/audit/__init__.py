"""Did everything arrive? What a subscriber or a database has, held against what the gateway says that it accepted."""
