// The script of the pages is not built yet: run `make assets`, then build again. The pages work without it.
