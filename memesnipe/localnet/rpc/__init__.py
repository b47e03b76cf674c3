"""The JSON-RPC of a node, over the local chain."""
