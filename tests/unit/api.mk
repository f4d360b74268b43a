# Unit tests of api: UNIT += name, then its sources and the level it links.
