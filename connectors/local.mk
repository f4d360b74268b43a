noinst_LIBRARIES += connectors/libconnectors.a
connectors_libconnectors_a_SOURCES = \
	connectors/source.c connectors/source.h connectors/drivers.h \
	connectors/charset.c connectors/charset.h \
	connectors/columns.c connectors/columns.h \
	connectors/command.c \
	connectors/csv.c \
	connectors/csvdialect.c connectors/csvdialect.h \
	connectors/csvlines.c connectors/csvlines.h \
	connectors/csvparse.c connectors/csvparse.h \
	connectors/csvrows.c connectors/csvrows_open.c connectors/csvrows.h connectors/csvrows_int.h \
	connectors/decode.c connectors/decode.h \
	connectors/delimiter.c connectors/delimiter.h \
	connectors/file_kind.c connectors/file_kind.h \
	connectors/input.c connectors/input.h \
	connectors/ndjson.c connectors/ndjson.h \
	connectors/postgres.c \
	connectors/postgres_conn.c connectors/postgres_conn.h \
	connectors/postgres_mark.c connectors/postgres_mark.h \
	connectors/postgres_catalog.c connectors/postgres_catalog.h \
	connectors/postgres_results.c connectors/postgres_results.h \
	connectors/postgres_role.c connectors/postgres_role.h \
	connectors/postgres_url.c connectors/postgres_url.h \
	connectors/process.c connectors/process.h \
	connectors/returned.c connectors/returned.h \
	connectors/spool.c connectors/spool.h \
	connectors/sqlite.c \
	connectors/sqlite_mark.c connectors/sqlite_mark.h \
	connectors/sqltext.c connectors/sqltext.h \
	connectors/utf8_first.c connectors/utf8_first.h
