"""Readers: one file format a module, behind one boundary."""
