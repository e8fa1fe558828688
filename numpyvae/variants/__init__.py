"""What can be exchanged without a change in core? One file for each variation; core knows none.

adam is another optimizer.
"""

from numpyvae.variants.adam import Adam

__all__ = ["Adam"]
