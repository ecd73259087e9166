"""The re-scoring ensemble: pools of several models, fused, shifted by frequency group, capped."""
