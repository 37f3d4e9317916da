"""Every noise model on real images: code length, errors, calibration, samples, speed."""
