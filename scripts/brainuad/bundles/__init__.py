"""What a bundle says of itself: the metadata of MONAI's bundles, and a model card."""
