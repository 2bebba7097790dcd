"""What people call things, and how each of them is read here."""
