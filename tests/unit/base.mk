# Unit tests of base: UNIT += name, then its sources and the level it links.
