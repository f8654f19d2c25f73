"""From the config to what the rules name: wildcards, inputs, params and resources.

Plain functions and classes, without torch and without a look into scans.
"""
