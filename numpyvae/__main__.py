"""`python -m numpyvae` is the command `numpyvae`."""

import sys

from numpyvae.cli.process import start

if __name__ == "__main__":
    sys.exit(start())
