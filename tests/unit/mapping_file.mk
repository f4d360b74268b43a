# Unit tests of the mapping file: reading, validation, binding, applying, init.
