"""The settings of each kind of model, in a module of its name.

A kind without a module here checks its settings itself.
"""
