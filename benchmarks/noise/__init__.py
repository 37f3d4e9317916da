"""What each noise model makes of real images: code length, errors, calibration, samples, speed."""
