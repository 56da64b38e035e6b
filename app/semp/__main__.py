"""`python -m semp` runs the command `semp`."""

from semp.cli import main

if __name__ == "__main__":
    main()
