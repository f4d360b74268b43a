noinst_LIBRARIES += mappings/libmappings.a
mappings_libmappings_a_SOURCES = \
	mappings/address.c \
	mappings/apply.c \
	mappings/bind.c \
	mappings/cells.h \
	mappings/column_run.c \
	mappings/file/compiled.h \
	mappings/mapping.h \
	mappings/reject_text.c \
	mappings/footer.c \
	mappings/footer.h \
	mappings/row_width.c \
	mappings/steps.c \
	mappings/skip_missed.c \
	mappings/convert/clean.c mappings/convert/clean.h \
	mappings/convert/email.c mappings/convert/email.h \
	mappings/convert/email_unwrap.c \
	mappings/convert/flaw.h \
	mappings/convert/host.c mappings/convert/host.h \
	mappings/convert/profile.c mappings/convert/profile.h \
	mappings/convert/template.c mappings/convert/template.h \
	mappings/convert/transform.c mappings/convert/transform.def mappings/convert/transform.h \
	mappings/convert/transform_date.c \
	mappings/convert/transform_html.c \
	mappings/convert/transform_replace.c \
	mappings/convert/transform_steps.h \
	mappings/convert/transform_text.c \
	mappings/convert/transform_title.c \
	mappings/convert/transform_web.c \
	mappings/convert/typed.c mappings/convert/typed.h \
	mappings/file/columns.c \
	mappings/file/diag.c mappings/file/diag.h \
	mappings/file/digest.c \
	mappings/file/load.c \
	mappings/file/rules.c \
	mappings/file/scalar.c \
	mappings/file/schema.c mappings/file/schema.h \
	mappings/file/schema_json.c \
	mappings/file/schema_table.c \
	mappings/file/yaml_problem.c mappings/file/yaml_problem.h \
	mappings/file/yaml_tree.c mappings/file/yaml_tree.h \
	mappings/init/init.c mappings/init/init.h \
	mappings/init/init_head.c \
	mappings/init/init_look.c mappings/init/init_look.h \
	mappings/init/init_propose.c mappings/init/init_propose.h \
	mappings/init/init_write.c \
	mappings/init/init_writer.h \
	mappings/file/yaml_write.c mappings/file/yaml_write.h \
	mappings/names/default_mapping.c \
	mappings/names/default_mapping_notes.c \
	mappings/names/first_line.c mappings/names/first_line.h \
	mappings/names/names.c mappings/names/names.def mappings/names/names.h \
	mappings/names/names_opt_out.c \
	mappings/names/names_words.c mappings/names/names_words.h
EXTRA_DIST += mappings/examples
EXTRA_DIST += \
	mappings/README.md \
	mappings/convert/README.md \
	mappings/file/README.md \
	mappings/init/README.md \
	mappings/names/README.md
