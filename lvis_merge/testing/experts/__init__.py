"""Experts: results of detectors in other label spaces, under LVIS's category ids."""
