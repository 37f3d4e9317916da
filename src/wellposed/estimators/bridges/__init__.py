"""Models of other frameworks, by the methods that they have; no framework is imported for it."""
