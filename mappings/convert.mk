# Pure value functions: addresses, transforms, templates, types, names.
mappings_libmappings_a_SOURCES += \
	mappings/email.h \
	mappings/flaw.h \
	mappings/names.h \
	mappings/template.h \
	mappings/transform.def \
	mappings/transform.h \
	mappings/typed.h
