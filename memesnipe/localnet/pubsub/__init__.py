"""The websocket of a node, over the local chain."""
