"""Settings: validated values from the environment and `.env`, and what they mean to the core."""
