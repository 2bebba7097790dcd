"""Proves completeness: what came, compared with what the gateway says it has read, sent, kept, dropped and buried."""
