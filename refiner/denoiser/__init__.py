"""The denoiser: network, schedule, preconditioning, sampler, conditions and losses, each a small part of its own.

torch is imported inside functions and by the modules `network`, `losses` and `training` only, which nothing imports until a
network is asked for.
"""
