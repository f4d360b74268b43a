# Unit tests of mappings: the file and its stages, and the value functions.
include tests/unit/mapping_file.mk
include tests/unit/convert.mk
