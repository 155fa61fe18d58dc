"""What forecasts must show: bounds that hold, sharpness, and what they cost."""
