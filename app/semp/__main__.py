"""`python -m semp` is `semp`."""

from semp.cli import main

if __name__ == "__main__":
    main()
