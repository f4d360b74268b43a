# Unit tests of connectors: UNIT += name, then its sources and the level it links.
