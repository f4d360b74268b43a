noinst_LIBRARIES += mappings/libmappings.a
mappings_libmappings_a_SOURCES = \
	mappings/address.c \
	mappings/apply.c mappings/cells.h \
	mappings/bind.c \
	mappings/column_run.c \
	mappings/columns.c \
	mappings/compiled.h \
	mappings/diag.c \
	mappings/diag.h \
	mappings/digest.c \
	mappings/first_line.c \
	mappings/first_line.h \
	mappings/init.c \
	mappings/init.h \
	mappings/init_head.c \
	mappings/init_look.c \
	mappings/init_look.h \
	mappings/init_propose.c \
	mappings/init_propose.h \
	mappings/init_write.c \
	mappings/init_yaml.c \
	mappings/init_yaml.h \
	mappings/load.c \
	mappings/mapping.h \
	mappings/reject_text.c \
	mappings/rules.c \
	mappings/scalar.c \
	mappings/row_width.c \
	mappings/schema.c \
	mappings/schema.h \
	mappings/schema_json.c \
	mappings/schema_table.c \
	mappings/straight.c \
	mappings/straight_notes.c \
	mappings/yaml_problem.c \
	mappings/yaml_problem.h \
	mappings/yaml_tree.c \
	mappings/yaml_tree.h
include mappings/convert.mk
EXTRA_DIST += mappings/examples
