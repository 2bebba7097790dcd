"""What the gateway knows about itself: ledger, states, health, clock trust, logs."""
