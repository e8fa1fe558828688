"""The version of numpyvae, said once."""

__version__ = "0.3.0"
