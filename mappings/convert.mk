# Pure value functions: addresses, transforms, templates, types, names.
