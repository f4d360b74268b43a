# Unit tests of state: UNIT += name, then its sources and the level it links.
