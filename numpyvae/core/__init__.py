"""What is a variational auto-encoder, and how is it trained? This room is the reading path.

Read parameters (all weights in one vector), layers (dense, ReLU), latent (sampling, the KL
divergence, and their gradients), bernoulli (the cross-entropy, and the base class of other
likelihoods), networks (the encoder and the decoder), trace (the arrays of a pass), vae (the model:
forward, loss and backward), optimizers, training.
"""
