"""`python -m numpyvae` is the command `numpyvae`."""

import sys

from numpyvae.cli import main

sys.exit(main())
