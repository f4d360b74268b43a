# Unit tests of cmd: UNIT += name, then its sources and the level it links.
