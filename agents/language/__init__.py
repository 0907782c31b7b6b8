"""The language seam: the embedded chat model, the remote ones, and the check of figures in prose."""
