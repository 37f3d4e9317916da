"""What a VAE of images reconstructs, and which of its latents collapse, beside linear models."""
