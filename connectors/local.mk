noinst_LIBRARIES += connectors/libconnectors.a
connectors_libconnectors_a_SOURCES = \
	connectors/columns.c connectors/columns.h \
	connectors/command.c \
	connectors/drivers.h \
	connectors/input.c connectors/input.h \
	connectors/ndjson.c connectors/ndjson.h \
	connectors/process.c connectors/process.h \
	connectors/source.c connectors/source.h \
	connectors/spool.c connectors/spool.h \
	connectors/sqltext.c connectors/sqltext.h \
	connectors/csv/charset.c connectors/csv/charset.h \
	connectors/csv/csv.c \
	connectors/csv/csvdialect.c connectors/csv/csvdialect.h \
	connectors/csv/csvlines.c connectors/csv/csvlines.h \
	connectors/csv/csvparse.c connectors/csv/csvparse.h \
	connectors/csv/csvrows.c connectors/csv/csvrows.h \
	connectors/csv/csvrows_int.h \
	connectors/csv/csvrows_open.c \
	connectors/csv/decode.c connectors/csv/decode.h \
	connectors/csv/delimiter.c connectors/csv/delimiter.h \
	connectors/csv/file_kind.c connectors/csv/file_kind.h \
	connectors/csv/returned.c connectors/csv/returned.h \
	connectors/csv/utf8_first.c connectors/csv/utf8_first.h \
	connectors/postgres/postgres.c \
	connectors/postgres/postgres_catalog.c connectors/postgres/postgres_catalog.h \
	connectors/postgres/postgres_conn.c connectors/postgres/postgres_conn.h \
	connectors/postgres/postgres_describe.c connectors/postgres/postgres_int.h \
	connectors/postgres/postgres_engagement.c connectors/postgres/postgres_engagement.h \
	connectors/postgres/postgres_mark.c connectors/postgres/postgres_mark.h \
	connectors/postgres/postgres_results.c connectors/postgres/postgres_results.h \
	connectors/postgres/postgres_role.c connectors/postgres/postgres_role.h \
	connectors/postgres/postgres_table.c connectors/postgres/postgres_table.h \
	connectors/postgres/postgres_url.c connectors/postgres/postgres_url.h \
	connectors/sqlite/sqlite.c \
	connectors/sqlite/sqlite_mark.c connectors/sqlite/sqlite_mark.h
EXTRA_DIST += \
	connectors/README.md \
	connectors/csv/README.md \
	connectors/postgres/README.md \
	connectors/sqlite/README.md
