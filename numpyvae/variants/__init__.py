"""What can be exchanged without a change in core? One file for each variation; core knows none.

adam is another optimizer; iwae a tighter bound, from several draws of z; free_bits a loss in which
the first nats of each latent are free; schedules changes β and the learning rate from epoch to
epoch.
"""

from numpyvae.variants.adam import Adam
from numpyvae.variants.free_bits import FreeBits
from numpyvae.variants.iwae import IWAE
from numpyvae.variants.schedules import Schedule

__all__ = ["IWAE", "Adam", "FreeBits", "Schedule"]
