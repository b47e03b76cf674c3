"""The roles: what each actor does, in plain classes that know no Ray."""
