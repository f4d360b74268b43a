# Unit tests of mappings: UNIT += name, then its sources and the level it links.
