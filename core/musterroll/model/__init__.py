"""The frozen data that one stage hands to the next."""
