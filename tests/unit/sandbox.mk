# Unit tests of sandbox: UNIT += name, then its sources and the level it links.
