"""What is not the product: running, testing and measuring it. ``./dev`` is the way in."""
