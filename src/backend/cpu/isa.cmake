# Sources that are compiled once per instruction set are listed here with their flags.
