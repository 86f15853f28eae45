"""The words samehour sends. Pure: data in, notice out."""
