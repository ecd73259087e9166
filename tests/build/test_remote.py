"""Inputs given by http address build the same manifest as local ones."""
