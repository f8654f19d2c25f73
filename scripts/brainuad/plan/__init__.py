"""From the config to the wildcards, inputs, params and resources of rules.

The functions and classes here neither import torch nor read scans.
"""
