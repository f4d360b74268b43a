noinst_LIBRARIES += sync/libsandbox.a
sync_libsandbox_a_SOURCES =
