"""Tapes made of what others recorded: files read, checked row by row, put into order and completed."""
