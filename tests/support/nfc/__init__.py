"""Cards of 13.56 MHz and the chips that read them, as models that behave like the real ones."""

from support.nfc.card import Classic, Ntag, PlainCard
from support.nfc.chip import Chip

__all__ = ["Chip", "Classic", "Ntag", "PlainCard"]
