"""What a clinic decides, in plain Python: no clock, no network, no file, no log, no environment."""
