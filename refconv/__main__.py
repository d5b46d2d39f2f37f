"""``python -m refconv`` is ``refconv``."""

from refconv.cli import main

if __name__ == "__main__":
    main()
