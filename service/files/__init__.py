"""Files that people bring and take: pure parsing and writing, bytes in, values out."""
