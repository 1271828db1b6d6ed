"""`python -m gm_project.serving HOST PORT WORKERS`: the server of the standalone project."""

from .server import main

if __name__ == "__main__":
    main()
