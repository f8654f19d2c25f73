"""Errors that a user can act on: one line each, what is wrong and what to do."""


class ScanError(ValueError):
    """A scan that cannot be used. It is left out and listed; the rest of the run goes on."""


class SettingsError(ValueError):
    """A setting, or a combination of settings and data, that cannot be run."""
