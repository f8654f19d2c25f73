"""The description of a bundle: the metadata of MONAI's bundles, and a model card."""
