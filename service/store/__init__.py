"""Rows and queries. Only use-cases come here, and no row ever leaves them."""
