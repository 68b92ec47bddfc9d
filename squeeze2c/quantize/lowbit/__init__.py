"""Weights below 8 bits without retraining: how much each layer matters, and what it may cost."""
