# libFuzzer targets, built by --enable-fuzz.
