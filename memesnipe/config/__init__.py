"""Settings: validated values from the environment and `.env`, and their conversion to the core's types."""
