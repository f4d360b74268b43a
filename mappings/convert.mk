# Pure value functions: addresses, transforms, templates, types, names.
mappings_libmappings_a_SOURCES += \
	mappings/clean.c \
	mappings/clean.h \
	mappings/email.c \
	mappings/email.h \
	mappings/email_unwrap.c \
	mappings/flaw.h \
	mappings/host.c \
	mappings/host.h \
	mappings/names.c \
	mappings/names.def \
	mappings/names.h \
	mappings/names_opt_out.c \
	mappings/names_words.c \
	mappings/names_words.h \
	mappings/profile.c \
	mappings/profile.h \
	mappings/template.c \
	mappings/template.h \
	mappings/transform.c \
	mappings/transform.def \
	mappings/transform.h \
	mappings/transform_date.c \
	mappings/transform_html.c \
	mappings/transform_replace.c \
	mappings/transform_steps.h \
	mappings/transform_text.c \
	mappings/transform_title.c \
	mappings/transform_web.c \
	mappings/typed.c \
	mappings/typed.h
