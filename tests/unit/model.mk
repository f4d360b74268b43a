# Unit tests of model: UNIT += name, then its sources and the level it links.
