"""What is made of a finished build: citations, comparisons, releases, one document."""
