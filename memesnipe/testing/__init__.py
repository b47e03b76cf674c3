"""Test machinery that ships with the product: the reference engine, labelled markets, fault injection."""
