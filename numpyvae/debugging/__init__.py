"""Is the backward pass of a VAE right, and where is it wrong? Also, mistakes to practice on.

    from numpyvae.debugging import check_vae, break_backward
    print(check_vae(break_backward(vae, "missing_half_kl")))

Read vae_check (the check), perturbations (how it moves an array in the middle of a pass),
mistakes (the table of known mistakes), broken_models (break_backward), recognition (which mistake
gives the gradients of a report), then small_copies (the small model that is checked as well).
"""

from numpyvae.debugging.broken_models import break_backward
from numpyvae.debugging.mistakes import MISTAKES, Mistake
from numpyvae.debugging.vae_check import check_vae

__all__ = ["MISTAKES", "Mistake", "break_backward", "check_vae"]
