noinst_LIBRARIES += mappings/libmappings.a
mappings_libmappings_a_SOURCES = mappings/mapping.h
include mappings/convert.mk
