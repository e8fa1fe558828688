"""What is a variational auto-encoder, and how is it trained? This room is the reading path.

Read parameters (all weights in one vector), layers (also the encoder and the decoder), latent
(sampling and the KL divergence), bernoulli (the cross-entropy), trace (the arrays of a pass), vae
(the model: forward, loss and backward), optimizers, training.
"""
