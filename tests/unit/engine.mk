# Unit tests of engine: UNIT += name, then its sources and the level it links.
