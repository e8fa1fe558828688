"""What is a variational auto-encoder, and how is it trained? This room is the reading path.

Read parameters (all weights in one vector), layers, latent (sampling and the KL divergence),
bernoulli (the cross-entropy), trace (the arrays of a pass), networks (encoder and decoder),
vae (the model: forward, loss and backward), optimizers, training.
"""
