"""``python -m gateway.testing``: write the pages of the drivers."""

import sys

from gateway.testing.pages import main

sys.exit(main())
