"""The webhook: an HTTP server on this machine to which a user's programs post events."""
