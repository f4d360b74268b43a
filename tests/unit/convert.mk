# Unit tests of the value functions.
