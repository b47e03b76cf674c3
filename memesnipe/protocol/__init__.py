"""The protocol: every stream with its payload type, writer, readers and retention; commands and heartbeats."""
