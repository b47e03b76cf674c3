"""Test tools shipped with the product: the reference engine, labelled markets, fault injection."""
