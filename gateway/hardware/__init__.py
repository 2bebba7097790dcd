"""How drivers reach hardware: one set of protocols, several implementations."""
