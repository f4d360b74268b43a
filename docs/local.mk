# Man pages and guides.
