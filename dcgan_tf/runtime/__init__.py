"""What the rest runs on: files, devices, several devices, the fast layers, TensorFlow without its chatter."""
