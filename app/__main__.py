"""`python -m app` is `semp`."""

from app.cli import main

if __name__ == "__main__":
    main()
