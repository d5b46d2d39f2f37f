"""A convolution with a mistake in it, which the quickstart hands to the user."""
