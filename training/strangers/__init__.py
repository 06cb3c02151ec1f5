"""Strangers: clips of the named shapes, drawn as other people would draw them and never trained on."""
