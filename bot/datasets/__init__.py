"""Training data: from any file to a dataset that trains well."""
