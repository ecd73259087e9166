"""Fuses what several models found: class-wise NMS, or weighted boxes."""
