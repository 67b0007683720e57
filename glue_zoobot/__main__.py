"""``python -m glue_zoobot`` is the same as ``glue-zoobot``."""

from glue_zoobot.cli import main

if __name__ == "__main__":
    main()
